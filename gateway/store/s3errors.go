package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/minio/minio-go/v7"
)

// slow is why a call was given up.
func slow(after time.Duration) error {
	return fmt.Errorf("the server has not answered in %v: %w", after, context.DeadlineExceeded)
}

// explain says what went wrong in words of ours. What a server says is a
// stranger's text, and may repeat what it was sent; only its code is shown.
func explain(ctx context.Context, step string, err error) error {
	var answer minio.ErrorResponse
	var transport *url.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("store: %s: %w", step, context.Cause(ctx))
	case errors.As(err, &answer) && !passing(err):
		return fmt.Errorf("store: %s: %w", step, refusal(said(answer)))
	case errors.As(err, &answer):
		return fmt.Errorf("store: %s: %s", step, said(answer))
	case errors.As(err, &transport):
		return fmt.Errorf("store: %s: %s", step, wire(transport.Err))
	}
	return fmt.Errorf("store: %s: the server's answer cannot be read", step)
}

// passing tells whether the same request may go through a moment later.
func passing(err error) bool {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout
	}
	return err != nil
}

// missing tells whether there is no such object. That there is no such bucket, or
// no such user, is another matter: nobody must conclude that a picture is gone.
func missing(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && answer.Code == minio.NoSuchKey
}

// refusal is an answer that will be the same the next time.
type refusal string

func (r refusal) Error() string { return string(r) }

// Is tells errors.Is that it is an ErrRefused.
func (refusal) Is(target error) bool { return target == ErrRefused }

var codeName = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

// said is a server's refusal, with what to do about those that come from the
// configuration.
func said(answer minio.ErrorResponse) string {
	text := fmt.Sprintf("the server answers %d", answer.StatusCode)
	if codeName.MatchString(answer.Code) {
		text += " " + answer.Code
	}
	if remedy := remedy(answer.Code); remedy != "" {
		text += ": " + remedy
	}
	return text
}

func remedy(code string) string {
	switch code {
	case minio.NoSuchBucket:
		return "make the bucket, or correct store.s3.bucket"
	case "InvalidAccessKeyId", "XAdminUserNotFound":
		return "it does not know store.s3.access_key"
	case "SignatureDoesNotMatch":
		return "store.s3.secret_key does not belong to access_key"
	case minio.AccessDenied:
		return "the access key needs s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket"
	case "AuthorizationHeaderMalformed", minio.InvalidRegion:
		return "correct store.s3.region"
	case "PermanentRedirect", "TemporaryRedirect":
		return "correct store.s3.endpoint or region"
	case "RequestTimeTooSkewed":
		return "this machine's clock and the server's differ"
	}
	return ""
}

// wire is what a connection failed of. Errors of the system and of TLS are plain;
// what others say may be a stranger's text.
func wire(err error) string {
	var system *net.OpError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	ours := errors.Is(err, errCut) || errors.Is(err, errTooLong)
	if ours || errors.As(err, &system) || errors.As(err, &name) || errors.As(err, &certificate) {
		return fmt.Sprintf("%.300s", err)
	}
	return fmt.Sprintf("the connection failed: %.300q", err)
}
