package applesim

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Token returns a token with these claims, as Apple signs it: HMAC-SHA256 under
// the bytes that the secret stands for (RFC 7515, section 5.1).
func (p *Platform) Token(claims Object) string {
	return SignToken(Object{"alg": "HS256"}, claims, p.key())
}

// SignToken returns a token with any header and any key.
func SignToken(header, claims Object, key []byte) string {
	text := segment(header) + "." + segment(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(key, text))
}

func segment(o Object) string {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err) // a test's own object
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (p *Platform) key() []byte {
	key, err := base64.StdEncoding.DecodeString(p.Secret)
	if err != nil {
		panic(err) // a test has set what is no secret
	}
	return key
}

var errToken = errors.New("token is not the provider's")

// checkToken looks at a provider's token as Apple's gateway does.
func (p *Platform) checkToken(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errToken
	}
	var header struct{ Alg string }
	var claims struct {
		Iss string
		Iat int64
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(signature, mac(p.key(), parts[0]+"."+parts[1])) {
		return errToken
	}
	for i, v := range []any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(data, v) != nil {
			return errToken
		}
	}
	age := time.Since(time.Unix(claims.Iat, 0))
	if header.Alg != "HS256" || claims.Iss != p.MSPID || age > time.Hour || age < -time.Hour {
		return errToken
	}
	return nil
}

// Crypt encrypts with AES in counter mode from zero (NIST SP 800-38A, section
// 6.5): each block of the counter, encrypted, covers one block of data. The same
// again decrypts.
func Crypt(key, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key is not of 32 bytes
	}
	var counter, cover [aes.BlockSize]byte
	out := make([]byte, len(data))
	for i, c := range data {
		at := i % aes.BlockSize
		if at == 0 {
			block.Encrypt(cover[:], counter[:])
			for j := len(counter) - 1; j >= 0; j-- {
				counter[j]++
				if counter[j] != 0 {
					break
				}
			}
		}
		out[i] = c ^ cover[at]
	}
	return out
}
