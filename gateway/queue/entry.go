package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// entryVersion is the layout of a journal entry and of a record that this release
// writes.
const entryVersion = "1"

// errNewer means that only a newer release can read it.
var errNewer = errors.New("written by a newer release")

// readable returns an error for what is not in this release's layout: errNewer
// where its version is a higher number.
func readable(version string) error {
	if version == entryVersion {
		return nil
	}
	ours, _ := strconv.Atoi(entryVersion)
	if theirs, err := strconv.Atoi(version); err == nil && theirs > ours {
		return errNewer
	}
	return fmt.Errorf("%w: version %.20q", ErrInvalid, version)
}

// unread tells of what cannot be read: whether somebody newer can, or it is broken.
func (j *Journal) unread(queue, what, id string, err error) {
	if errors.Is(err, errNewer) {
		j.options.OnNewer(Newer{Queue: queue, IDs: []string{id}})
		return
	}
	j.options.OnBreach(Breach{Queue: queue, What: what, IDs: []string{id}})
}

// entries reads what Redis handed out, and the records of messages with photos.
// What cannot be read, such as an entry that a newer release wrote, is left
// alone: it stays pending, for a worker that can.
func (j *Journal) entries(ctx context.Context, k keys, queue string, messages []redis.XMessage) ([]Entry, error) {
	entries := make([]Entry, 0, len(messages))
	var withPhotos []int
	for _, message := range messages {
		entry, err := readEntry(queue, message)
		if err != nil {
			j.unread(queue, "journal entry cannot be read", message.ID, err)
			continue
		}
		if entry.Lane != "" {
			withPhotos = append(withPhotos, len(entries))
		}
		entries = append(entries, entry)
	}
	if len(withPhotos) == 0 {
		return entries, nil
	}
	return j.recorded(ctx, k, entries)
}

// recorded reads the records of messages with photos, which are now in our hands.
// One that is gone was finished by others meanwhile; if it is still ours, nobody
// else will take it out.
func (j *Journal) recorded(ctx context.Context, k keys, entries []Entry) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ioTimeout)
	defer cancel()
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Key
	}
	records, err := j.client.HMGet(ctx, k.data, names...).Result()
	if err != nil {
		return nil, wrap("read records", err)
	}
	found := entries[:0]
	for i, e := range entries {
		if records[i] == nil {
			if err := j.lost(ctx, k, e); err != nil {
				return found, err
			}
			continue
		}
		if err := e.read(text(records[i])); err != nil {
			j.unread(e.Queue, "journal entry cannot be read", e.ID, err)
			continue
		}
		found = append(found, e)
	}
	return found, nil
}

func (j *Journal) lost(ctx context.Context, k keys, e Entry) error {
	names, args := j.at(k, e)
	outcome, err := j.outcome(ctx, j.scripts.lost, names, args...)
	if outcome == Mine {
		j.options.OnBreach(Breach{Queue: e.Queue, What: "journal entry has no record", IDs: []string{e.Key}})
	}
	return err
}

func readEntry(queue string, message redis.XMessage) (Entry, error) {
	field := func(name string) string { return text(message.Values[name]) }
	if err := readable(field("v")); err != nil {
		return Entry{}, err
	}
	e := Entry{Queue: queue, ID: message.ID, Key: field("key"), Lane: field("lane"), Attempt: randomID()}
	if e.Lane != "" {
		return e, errors.Join(checkHex("key", e.Key), checkHex("lane", e.Lane))
	}
	e.Conversation, e.Payload = field("conv"), []byte(field("payload"))
	return e, errors.Join(checkHex("key", e.Key), checkHex("conversation", e.Conversation),
		e.number(field("seq"), field("at"), field("tries")))
}

func (e *Entry) number(seq, at, tries string) error {
	var errSeq, errTries error
	e.Seq, errSeq = strconv.ParseInt(seq, 10, 64)
	ms, errAt := strconv.ParseInt(at, 10, 64)
	e.Tries, errTries = strconv.Atoi(tries)
	e.AcceptedAt = time.UnixMilli(ms)
	return errors.Join(errSeq, errAt, errTries)
}

// read fills e from its record.
func (e *Entry) read(record string) error {
	head, payload, found := strings.Cut(record, "\n")
	version, _, _ := strings.Cut(head, " ")
	if err := readable(version); err != nil {
		return err
	}
	fields := strings.Fields(head)
	if !found || len(fields) != 6 {
		return fmt.Errorf("%w: a record with %d fields", ErrInvalid, len(fields))
	}
	e.Conversation, e.Lane, e.Payload = fields[1], fields[5], []byte(payload)
	return errors.Join(checkHex("conversation", e.Conversation), checkHex("lane", e.Lane), e.number(fields[2], fields[3], fields[4]))
}

// record is an entry as common.lua reads it: one line of fields, then the payload.
func (e *Entry) record(tries int) string {
	var record strings.Builder
	_, _ = fmt.Fprintf(&record, "%s %s %d %d %d", entryVersion, e.Conversation, e.Seq, e.AcceptedAt.UnixMilli(), tries)
	if e.Lane != "" {
		_, _ = record.WriteString(" " + e.Lane)
	}
	_, _ = record.WriteString("\n")
	_, _ = record.Write(e.Payload)
	return record.String()
}
