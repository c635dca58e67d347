package media

import "io"

// Room asks for memory to hold that many bytes of an original in all, and returns
// when it may be used; fewer than before gives the rest back. Its error ends the
// reading and is returned as it is.
type Room func(bytes int64) error

// readStep is by how much an original grows while it is read.
const readStep = 256 << 10

// Read reads an original of at most limit bytes. claimed is the sender's word for
// its size, 0 where there is none: a larger claim is rejected without reading a
// byte, a smaller one is not believed. Exactly limit bytes pass; no more than
// limit+1 are ever read.
//
// Memory grows with what arrives, not with the claim. room is asked for every
// step of it, and for at most twice the limit: at the end the steps are put
// together, for which an original is there twice. nil means that memory needs no
// asking for. The error is a *Rejection (TooLarge), room's or the reader's own.
func Read(r io.Reader, claimed, limit int64, room Room) ([]byte, error) {
	if err := judgeSize(claimed, limit); err != nil {
		return nil, knowing(Source{Bytes: claimed}, err)
	}
	if room == nil {
		room = func(int64) error { return nil }
	}
	parts, size, err := readParts(io.LimitReader(r, limit+1), limit+1, room)
	if tooLarge := judgeSize(size, limit); tooLarge != nil {
		return nil, knowing(Source{Bytes: size}, tooLarge)
	}
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	if err := room(2 * size); err != nil {
		return nil, err
	}
	data := make([]byte, 0, size)
	for _, part := range parts {
		data = append(data, part...)
	}
	return data, room(size)
}

// readParts reads r, which has at most that many bytes, step by step, and returns
// what there was before an error too.
func readParts(r io.Reader, most int64, room Room) (parts [][]byte, size int64, err error) {
	for {
		part := min(readStep, most-size)
		if part == 0 {
			return parts, size, nil
		}
		if err := room(size + part); err != nil {
			return parts, size, err
		}
		data, ended, err := fill(r, make([]byte, part))
		parts, size = append(parts, data), size+int64(len(data))
		if ended || err != nil {
			return parts, size, err
		}
	}
}

// fill reads until part is full, and tells whether the reader ended. It tells
// that from an end that the reader did not expect, which io.ReadFull takes for
// the same.
func fill(r io.Reader, part []byte) (data []byte, ended bool, err error) {
	for n := 0; n < len(part); {
		read, err := r.Read(part[n:])
		n += read
		if err == io.EOF { // and no error that wraps it
			return part[:n], true, nil
		}
		if err != nil {
			return part[:n], false, err
		}
	}
	return part, false, nil
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
