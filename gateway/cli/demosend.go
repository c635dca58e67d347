package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/phones"
	"github.com/lightlock/lightlock/gateway/queue"
)

// patience is how long the demo waits for a photo at the end of the queue.
const patience = 30 * time.Second

// errBroken ends a demo whose gateway is of no use any more.
var errBroken = errors.New("the gateway broke down")

// send takes one photo through one channel. An error ends the demo; what
// concerns only this photo is in the row.
func (d *demo) send(ctx context.Context, p simulated, o original) (row, error) {
	r := row{Channel: &p.Name, Account: &p.name, Status: statusFailed}
	if o.path == "" {
		made, err := demoPhoto(p.Title)
		if err != nil {
			return r, err
		}
		o.data = made
	}
	start := time.Now()
	from := consumers(p.Name)
	onPhone := &phones.Item{From: from, Photo: phones.Label(filepath.Base(cmp.Or(o.path, "photo.jpg")), len(o.data)), At: start}
	defer func() { d.phones[p.Name] = append(d.phones[p.Name], *onPhone) }()
	err := p.say(ctx, d.client, sim.Said{ID: sim.Secret(), Consumer: from, Name: from, Photos: [][]byte{o.data}, At: start})
	if err == nil {
		d.sent[p.name]++
		var doc document
		doc, err = d.await(ctx, p.name)
		r.MS = time.Since(start).Milliseconds()
		if err == nil {
			onPhone.Image = d.fill(ctx, &r, doc, p, o)
		}
	}
	if ctx.Err() != nil || errors.Is(err, errBroken) {
		return r, errors.Join(ctx.Err(), err)
	}
	if err != nil {
		r.fail(err)
	}
	return r, nil
}

// await waits for the message that the account was sent last. Its number in the
// conversation tells it from an earlier one that came too late.
func (d *demo) await(ctx context.Context, account string) (document, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case doc := <-d.arrivals:
			ours := doc.Source == account && doc.Data.Seq == d.sent[account] && len(doc.Data.Photos) > 0
			if ours && doc.Data.Photos[0].Status != string(queue.Pending) { // which is said of it later
				return doc, nil
			}
		case err := <-d.broken:
			return document{}, err
		case <-d.gateway.Journal().Ended():
			return document{}, fmt.Errorf("%w: %w", errBroken, d.gateway.Journal().Err())
		case <-timeout.C:
			return document{}, fmt.Errorf("nothing at the queue after %s", patience)
		case <-ctx.Done():
			return document{}, ctx.Err()
		}
	}
}

// fill completes the row from the queue's document and keeps the pictures. It returns
// the thumbnail, if there is one.
func (d *demo) fill(ctx context.Context, r *row, doc document, p simulated, o original) (thumbnail []byte) {
	photo := doc.Data.Photos[0]
	r.Status, r.Reason, r.Source, r.Damaged = photo.Status, photo.Reason, photo.Source, photo.Damaged
	if photo.Status != statusReady {
		r.Detail = sentence(photo.Reason, photo.Source, p.Title, int64(p.PhotoLimit))
		return nil
	}
	name := p.Name
	if o.path != "" {
		name += "." + filepath.Base(o.path)
	}
	name = filepath.Join(d.Out, d.names.of(name, o.path))
	var err1, err2 error
	r.Preview, _, err1 = d.fetch(ctx, photo.Preview, name+".preview.jpg")
	r.Thumbnail, thumbnail, err2 = d.fetch(ctx, photo.Thumbnail, name+".thumbnail.jpg")
	if err := errors.Join(err1, err2); err != nil {
		r.fail(err)
		return nil
	}
	if d.href == "" {
		d.href = photo.Preview.Href
	}
	return thumbnail
}

// fetch gets a picture as a service does, and keeps it in a file.
func (d *demo) fetch(ctx context.Context, p *remotePicture, path string) (f *pictureFile, data []byte, err error) {
	if data, err = d.client.get(ctx, p, d.token); err != nil {
		return nil, nil, err
	}
	f = &pictureFile{Type: p.Type, Bytes: p.Bytes, Width: p.Width, Height: p.Height}
	return f, data, f.write(path, data)
}
