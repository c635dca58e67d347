package media

import "io"

// Read reads an original of at most limit bytes. claimed is the sender's word for
// its size, 0 where there is none: a larger claim is rejected without reading a
// byte, a smaller one is not believed. Exactly limit bytes pass; no more than
// limit+1 are ever read, and memory grows with what arrives, not with the claim.
// The error is a *Rejection (TooLarge) or the reader's own.
func Read(r io.Reader, claimed, limit int64) ([]byte, error) {
	if err := judgeSize(claimed, limit); err != nil {
		return nil, knowing(Source{Bytes: claimed}, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if tooLarge := judgeSize(int64(len(data)), limit); tooLarge != nil {
		return nil, knowing(Source{Bytes: int64(len(data))}, tooLarge)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// judgeSize is the one place that finds a photo too large. Of one that was read
// to limit+1 nobody knows how large it is.
func judgeSize(size, limit int64) error {
	if size <= limit {
		return nil
	}
	if size == limit+1 {
		return reject(TooLarge, "more than %s; the limit is %s", sayBytes(limit), sayBytes(limit))
	}
	found, most := unlike(size, limit, sayBytes)
	return reject(TooLarge, "%s; the limit is %s", found, most)
}
