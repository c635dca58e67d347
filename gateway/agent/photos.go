package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// linkLife is how long a minted link shows a photo.
const linkLife = time.Minute

// mostLink is how long what stands in a link may be.
const mostLink = 512

// picture serves previews or thumbnails. Whoever may not see one is told that there
// is none, in the same words.
func (a *API) picture(kind store.Kind) echo.HandlerFunc {
	signedIn := a.known(func(c *call) error { return a.show(c, kind) })
	return func(c echo.Context) error {
		link := c.QueryParam("link")
		if link == "" {
			return signedIn(c)
		}
		problem.Guard(c.Response().Header())
		ctx, cancel := context.WithTimeout(c.Request().Context(), callTime)
		defer cancel()
		a.fail(c, a.showByLink(ctx, c, kind, link))
		return nil
	}
}

// nobodys is a conversation that is not there: ids are random.
const nobodys = "00000000000000000000000000000000"

// show serves a picture to a caller who is known.
func (a *API) show(c *call, kind store.Kind) error {
	key, err := store.ParsePhotoID(c.Param("photo"))
	if err != nil || !c.caller.May(key.Queue) {
		return notFound()
	}
	key.Kind = kind
	return a.serve(c.ctx, c, key, asking{who: string(c.caller.Kind) + " " + c.caller.Agent.ID, site: ownSite, may: func(conversation string) error {
		if c.caller.Kind == queue.ActorService {
			return nil
		}
		return a.maySee(c.ctx, key.Queue, conversation, c.caller.Agent.ID)
	}})
}

// showByLink serves a picture to whoever has a link, if the agent for whom it was
// minted may still see it.
func (a *API) showByLink(ctx context.Context, c echo.Context, kind store.Kind, link string) error {
	key, err := store.ParsePhotoID(c.Param("photo"))
	if err != nil || len(link) > mostLink {
		return notFound()
	}
	key.Kind = kind
	minted, err := a.Journal.Link(ctx, key.Queue, linkName(link))
	if errors.Is(err, queue.ErrNoLink) || err == nil && minted.Photo != key.PhotoID() {
		return notFound()
	}
	if err != nil {
		return err
	}
	if _, there := a.People.Lookup(ctx, minted.Agent, key.Queue); !there {
		return notFound() // who has left since it was minted
	}
	return a.serve(ctx, c, key, asking{who: "link " + minted.Agent, site: anySite, may: func(conversation string) error {
		return a.maySee(ctx, key.Queue, conversation, minted.Agent)
	}})
}

// maySee asks anew, at every fetch, who has the conversation of a photo. To say no
// takes the same of the store for every photo, and for one that there is not: what is
// in Redis alone is looked for in the archive too.
func (a *API) maySee(ctx context.Context, name, conversation, agentID string) error {
	if a.Without {
		return notFound()
	}
	head, err := a.Journal.Conversation(ctx, name, conversation)
	here := err == nil && !head.Partial
	if !here {
		head, err = a.head(ctx, name, conversation)
	}
	if err != nil && !errors.Is(err, queue.ErrNoConversation) {
		return err
	}
	if err == nil && owns(agentID, head) {
		return nil
	}
	if here {
		if _, err := a.head(ctx, name, nobodys); err != nil && !errors.Is(err, queue.ErrNoConversation) {
			return err
		}
	}
	return notFound()
}

// Whose pages may show a picture, in the words of Cross-Origin-Resource-Policy. A link
// is for a desktop, which is a page of another site.
const ownSite, anySite = "same-origin", "cross-origin"

// asking is somebody who asks for a picture.
type asking struct {
	who  string // whose share of the memory it takes
	site string
	may  func(conversation string) error
}

// serve sends a picture if the caller may see photos of its conversation. That is asked
// first, before anything of the picture is read.
func (a *API) serve(ctx context.Context, c echo.Context, key store.Key, by asking) error {
	conversation, err := a.belongsTo(ctx, key)
	if err != nil {
		return err
	}
	if err := by.may(conversation); err != nil {
		return err
	}
	leave, err := a.shares.take(ctx, by.who, key.Kind)
	if err != nil {
		return err
	}
	defer leave()
	f, err := a.Gallery.Open(ctx, key)
	if err != nil {
		return a.storeFailed(ctx, key, err)
	}
	defer f.Close()
	if cmp.Or(f.Conversation, nobodys) != conversation {
		return notFound() // it is another photo since
	}
	h := c.Response().Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cross-Origin-Resource-Policy", by.site)
	h.Set("Content-Disposition", "inline")
	// Several ranges would make an answer of another type.
	if r := c.Request(); strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, f)
	return nil
}

// belongsTo is the conversation of a photo, and nobody's of one that is not there or that
// belongs to none.
func (a *API) belongsTo(ctx context.Context, key store.Key) (string, error) {
	conversation, err := a.Gallery.Conversation(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", a.storeFailed(ctx, key, err)
	}
	return cmp.Or(conversation, nobodys), nil
}

// storeFailed is a failure of the store, whose own words are for the log.
func (a *API) storeFailed(ctx context.Context, key store.Key, err error) error {
	if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
		err = fmt.Errorf("%w: photo %s: %w", errStore, key.PhotoID(), err)
	}
	return err
}

// minted is what links are answered with.
type minted struct {
	Preview   string    `json:"preview"`
	Thumbnail string    `json:"thumbnail"`
	ExpiresAt time.Time `json:"expires_at"`
}

// links mints links to a photo that the agent may see. What stands in them is 256
// random bits, of which the journal keeps the digest, for all gateways and not for
// longer than they are good.
func (a *API) links(c *call) error {
	key, err := store.ParsePhotoID(c.Param("photo"))
	if err != nil || !c.caller.May(key.Queue) {
		return notFound()
	}
	var b onBehalf
	if err := c.body(&b, false); err != nil {
		return err
	}
	on, err := a.agent(c, key.Queue, b.Agent, true)
	if err != nil {
		return err
	}
	conversation, err := a.belongsTo(c.ctx, key)
	if err != nil {
		return err
	}
	if err := a.maySee(c.ctx, key.Queue, conversation, on.ID); err != nil {
		return err
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	link := base64.RawURLEncoding.EncodeToString(random[:])
	until := a.Now().Add(linkLife).UTC()
	if err := a.Journal.OpenLink(c.ctx, key.Queue, linkName(link), queue.Link{Photo: key.PhotoID(), Agent: on.ID}, linkLife); err != nil {
		return err
	}
	return c.answer(http.StatusOK, minted{
		Preview: queue.PreviewHref(key.PhotoID()) + "?link=" + link, Thumbnail: queue.ThumbnailHref(key.PhotoID()) + "?link=" + link, ExpiresAt: until,
	})
}

// linkName is the name of a link in Redis, from which nobody can make the link.
func linkName(link string) string {
	sum := sha256.Sum256([]byte(link))
	return hex.EncodeToString(sum[:])
}
