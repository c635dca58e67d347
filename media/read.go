package media

import "io"

// Read reads an original of at most max bytes. claimed is the sender's word for
// its size, 0 where there is none: a larger claim is rejected without reading a
// byte, a smaller one is not believed. Exactly max bytes pass; no more than
// max+1 are ever read, and memory grows with what arrives, not with the claim.
// The error is a *Rejection (TooLarge) or the reader's own.
func Read(r io.Reader, claimed, max int64) ([]byte, error) {
	if err := judgeSize(claimed, max); err != nil {
		return nil, knowing(Source{Bytes: claimed}, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, max+1))
	if tooLarge := judgeSize(int64(len(data)), max); tooLarge != nil {
		return nil, knowing(Source{Bytes: int64(len(data))}, tooLarge)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func judgeSize(size, max int64) error {
	if size <= max {
		return nil
	}
	if size == max+1 {
		return reject(TooLarge, "more than %s; the limit is %s", sayBytes(max), sayBytes(max))
	}
	found, limit := unlike(size, max, sayBytes)
	return reject(TooLarge, "%s; the limit is %s", found, limit)
}
