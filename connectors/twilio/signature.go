package twilio

import (
	"crypto/sha1" //nolint:gosec // Twilio's choice; HMAC does not need what SHA-1 has lost
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/wire"
)

// authentic tells whether mac is the signature of a call to address with form,
// under any of the tokens.
func authentic(tokens config.Secrets, address string, form url.Values, mac []byte) bool {
	valid := false
	for _, spelling := range addresses(address) {
		// Both are tried in any case, so the time taken tells nothing.
		fits := wire.VerifyMAC(sha1.New, tokens, signed(spelling, form), mac)
		valid = valid || fits
	}
	return valid
}

// signed returns the bytes that Twilio signs: the address, then each parameter
// in the byte order of the names, name and decoded value without anything in
// between. All that were received count, empty and unknown ones too, and
// nothing is trimmed. Of a repeated name each different value counts once, in
// order: https://github.com/twilio/twilio-python/blob/main/twilio/request_validator.py
func signed(address string, form url.Values) []byte {
	data := []byte(address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Sorted(slices.Values(form[name]))
		for _, value := range slices.Compact(values) {
			data = append(data, name...)
			data = append(data, value...)
		}
	}
	return data
}

// addresses returns the two ways in which Twilio may have written the address
// that it signed: with a port, added if there is none, and without. Twilio is
// not consistent there, and its own libraries accept both.
//
// Nothing else is touched, because to read a URL and write it again can change
// it. User info stays too: whether it is signed is documented nowhere, and no
// address of ours has any.
func addresses(address string) [2]string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return [2]string{address, address}
	}
	end := strings.IndexAny(rest+"/", "/?#")
	host, port := cutPort(rest[:end])
	if port == "" {
		port = "80"
		if scheme == "https" {
			port = "443"
		}
	}
	return [2]string{scheme + "://" + host + ":" + port + rest[end:], scheme + "://" + host + rest[end:]}
}

// cutPort cuts off what follows the last colon of an authority, unless that
// colon belongs to the user info or to an IPv6 address.
func cutPort(authority string) (host, port string) {
	colon := strings.LastIndexByte(authority, ':')
	if colon <= strings.LastIndexAny(authority, "@]") || colon == len(authority)-1 {
		return authority, ""
	}
	return authority[:colon], authority[colon+1:]
}
