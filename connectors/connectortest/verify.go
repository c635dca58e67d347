package connectortest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// verifyChecks are about the proof that the platform itself sent a request.
func verifyChecks() []check {
	return []check{
		{"verify_accepts", "the platform's own webhooks verify, as often as they come", checkVerifyAccepts},
		{"verify_body_bits", "one flipped bit anywhere in the body is Unauthentic", checkVerifyBodyBits},
		{"verify_body_length", "a body that is shorter or longer by any number of bytes is Unauthentic", checkVerifyBodyLength},
		{"verify_header_bits", "one flipped bit anywhere in the signature is Unauthentic", checkVerifyHeaderBits},
		{"verify_header_form", "a signature that is missing, empty, cut, or with a blank is Unauthentic", checkVerifyHeaderForm},
		{"verify_header_repeated", "a repeated signature is Unauthentic", checkVerifyHeaderRepeated},
		{"verify_foreign", "what another business's secret signed is Unauthentic", checkVerifyForeign},
		{"verify_rotation", "each of the secrets in force verifies, and no other", checkVerifyRotation},
		{"verify_leaves_request", "Verify changes nothing in the request", checkVerifyLeavesRequest},
		{"verify_no_calls", "Verify and Parse call nobody", checkNoCalls},
		{"verify_concurrent", "every method may be called from many goroutines at once", checkConcurrent},
	}
}

func checkVerifyAccepts(b *bench) error {
	for _, id := range []string{"one", "emoji \U0001F4F7 \\/ <&> \"+\" %2B", "one"} {
		requests, err := b.deliver(text(id))
		if err != nil {
			return err
		}
		for _, r := range requests {
			if err := errors.Join(b.connector.Verify(r), b.connector.Verify(r)); err != nil {
				return fmt.Errorf("Verify of %q: %w", id, err)
			}
		}
	}
	return nil
}

// refuses returns an error unless every changed copy of r is Unauthentic.
// change returns what it has done, or "" to pass over this number.
func refuses(c connectors.Connector, r *connectors.Request, n int, change func(r *connectors.Request, i int) string) error {
	for i := range n {
		changed := clone(r)
		what := change(changed, i)
		if what == "" {
			continue
		}
		if err := wantKind(c.Verify(changed), connectors.Unauthentic); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

func checkVerifyBodyBits(b *bench) error {
	r, err := b.one()
	if err != nil {
		return err
	}
	return refuses(b.connector, r, 8*len(r.Body), func(changed *connectors.Request, i int) string {
		changed.Body[i/8] ^= 1 << (i % 8)
		if sameForm(r, changed) {
			return ""
		}
		return fmt.Sprintf("bit %d of byte %d of the body flipped", i%8, i/8)
	})
}

// sameForm tells whether two bodies are forms with the same content. Where a
// platform signs the content and not the bytes, they are the same request.
func sameForm(a, b *connectors.Request) bool {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return false
	}
	one, err1 := url.ParseQuery(string(a.Body))
	two, err2 := url.ParseQuery(string(b.Body))
	return err1 == nil && err2 == nil && reflect.DeepEqual(one, two)
}

func checkVerifyBodyLength(b *bench) error {
	r, err := b.one()
	if err != nil {
		return err
	}
	err = refuses(b.connector, r, len(r.Body), func(changed *connectors.Request, i int) string {
		changed.Body = changed.Body[:i]
		return fmt.Sprintf("body cut to %d of %d bytes", i, len(r.Body))
	})
	if err != nil {
		return err
	}
	tails := []string{" ", "\n", "\x00", "x", "{}", "&x=y", string(r.Body)}
	return refuses(b.connector, r, len(tails), func(changed *connectors.Request, i int) string {
		changed.Body = append(changed.Body, tails[i]...)
		return fmt.Sprintf("body with %q behind it", tails[i])
	})
}

// signature returns the name and value of the header that proves r: the one
// without which it does not verify. Where the proof stands in the address too,
// bare is r as it is without a query, for which the header is all there is; else
// it is r itself.
func signature(c connectors.Connector, r *connectors.Request) (bare *connectors.Request, name, value string, err error) {
	plain := clone(r)
	plain.URL, _, _ = strings.Cut(r.URL, "?")
	for _, bare := range []*connectors.Request{r, plain} {
		if !verifies(c, bare) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			without := clone(bare)
			delete(without.Header, name)
			if !verifies(c, without) {
				return bare, name, r.Header[name][0], nil
			}
		}
	}
	return nil, "", "", errors.New("Verify accepts the request without any one of its headers")
}

// signed returns a call and the header that proves it.
func (b *bench) signed() (r *connectors.Request, name, value string, err error) {
	if r, err = b.one(); err != nil {
		return nil, "", "", err
	}
	return signature(b.connector, r)
}

func verifies(c connectors.Connector, r *connectors.Request) bool { return c.Verify(r) == nil }

func checkVerifyHeaderBits(b *bench) error {
	r, name, value, err := b.signed()
	if err != nil {
		return err
	}
	return refuses(b.connector, r, 8*len(value), func(changed *connectors.Request, i int) string {
		bits := []byte(value)
		bits[i/8] ^= 1 << (i % 8)
		changed.Header[name] = []string{string(bits)}
		return fmt.Sprintf("bit %d of byte %d of %s flipped", i%8, i/8, name)
	})
}

func checkVerifyHeaderForm(b *bench) error {
	r, name, value, err := b.signed()
	if err != nil {
		return err
	}
	forms := []string{
		"", " ", value + " ", value + "\t", value + "\n", " " + value, value + "=", value + "A", value + "," + value,
		value + value, strings.Repeat("A", len(value)), strings.Repeat(value, 1000), "\x00" + value, value + "\x00",
	}
	for i := 1; i < len(value); i++ {
		forms = append(forms, value[:i], value[i:])
	}
	err = refuses(b.connector, r, len(forms), func(changed *connectors.Request, i int) string {
		changed.Header[name] = []string{forms[i]}
		return fmt.Sprintf("%s of %d bytes instead of %d, form %d", name, len(forms[i]), len(value), i)
	})
	if err != nil {
		return err
	}
	missing := []string{"missing", "without a value", "all headers missing"}
	return refuses(b.connector, r, len(missing), func(changed *connectors.Request, i int) string {
		switch i {
		case 0:
			delete(changed.Header, name)
		case 1:
			changed.Header[name] = []string{}
		case 2:
			changed.Header = nil
		}
		return name + " " + missing[i]
	})
}

func checkVerifyHeaderRepeated(b *bench) error {
	r, name, value, err := b.signed()
	if err != nil {
		return err
	}
	wrong := strings.Repeat("A", len(value))
	lists := [][]string{{value, value}, {value, wrong}, {wrong, value}, {value, ""}, {"", value}}
	return refuses(b.connector, r, len(lists)+1, func(changed *connectors.Request, i int) string {
		if i == len(lists) {
			changed.Header[strings.ToLower(name)] = []string{wrong}
			return name + " again in lower case"
		}
		changed.Header[name] = lists[i]
		return fmt.Sprintf("%s repeated, form %d", name, i)
	})
}

func checkVerifyForeign(b *bench) error {
	other, err := newBench(b.subject)
	if err != nil {
		return err
	}
	defer other.close()
	foreign, err := other.one()
	if err != nil {
		return err
	}
	if err := other.connector.Verify(foreign); err != nil {
		return fmt.Errorf("the other business's own connector: %w", err)
	}
	return wantKind(b.connector.Verify(foreign), connectors.Unauthentic)
}

func checkVerifyRotation(b *bench) error {
	r, err := b.one()
	if err != nil {
		return err
	}
	lists := []struct {
		name string
		list func(present config.Secrets) config.Secrets
		good bool
	}{
		{"the secret before another", func(s config.Secrets) config.Secrets { return config.Secrets{s[0], newSecret()} }, true},
		{"the secret behind another", func(s config.Secrets) config.Secrets { return config.Secrets{newSecret(), s[0]} }, true},
		{"two other secrets", func(config.Secrets) config.Secrets { return config.Secrets{newSecret(), newSecret()} }, false},
		{"an empty secret", func(config.Secrets) config.Secrets { return config.Secrets{config.Secret{}} }, false},
		{"no secret", func(config.Secrets) config.Secrets { return nil }, false},
	}
	for _, l := range lists {
		s := b.platform.Settings("acme", "support")
		if err := withSecrets(s, l.list); err != nil {
			return err
		}
		c, err := b.build(s, time.Now)
		if err != nil {
			return fmt.Errorf("%s: New: %w", l.name, err)
		}
		err = c.Verify(r)
		if !l.good {
			err = wantKind(err, connectors.Unauthentic)
		}
		if err != nil {
			return fmt.Errorf("%s in force: %w", l.name, err)
		}
	}
	return nil
}

func checkVerifyLeavesRequest(b *bench) error {
	r, err := b.one()
	if err != nil {
		return err
	}
	before := clone(r)
	// Room behind the body lets an append show.
	roomy := append(make([]byte, 0, len(r.Body)+64), r.Body...)
	r.Body = roomy
	if err := b.connector.Verify(r); err != nil {
		return err
	}
	if !reflect.DeepEqual(r, before) {
		return errors.New("the request is not what it was before Verify")
	}
	if rest := roomy[len(roomy):cap(roomy)]; !bytes.Equal(rest, make([]byte, len(rest))) {
		return errors.New("Verify has written behind the body")
	}
	return nil
}

func checkNoCalls(b *bench) error {
	calls := b.counting()
	requests, err := b.deliver(text("one"), withPhotos("two", picture(1)))
	if err != nil {
		return err
	}
	for _, r := range requests {
		if err := b.connector.Verify(r); err != nil {
			return err
		}
		if n := calls(); n != 0 {
			return fmt.Errorf("Verify made %d calls to the platform, want none", n)
		}
		if _, err := b.connector.Parse(r); err != nil {
			return err
		}
		if n := calls(); n != 0 {
			return fmt.Errorf("Parse made %d calls to the platform, want none", n)
		}
	}
	return nil
}

func checkConcurrent(b *bench) error {
	requests, err := b.deliver(withPhotos("one", picture(1)))
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() {
			events, err := parse(b.connector, requests)
			errs[i] = errors.Join(err, b.connector.Verify(requests[0]))
			for _, e := range events {
				for _, p := range e.Photos {
					_, err := fetch(b.ctx, b.connector, p)
					errs[i] = errors.Join(errs[i], err)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
