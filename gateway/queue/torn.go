package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Redis that was killed while it wrote a script's changes keeps half of them in its
// file, as gateway/queue/redisserver tells: at the next start but one they are carried
// out, and what was acknowledged in between may be lost. Our own server is started so
// that it cannot be. Of any other it is asked, after each of its starts, to write its
// file anew, which leaves them out. Until that is done, a second crash does harm.

// renewEvery is after how long a Redis is asked again that has not done so, or need
// not.
const renewEvery = time.Minute

// file is what is known of a primary's file.
type file struct {
	// run is the server's name for its time since its start, in which it was last
	// asked.
	run   string
	asked time.Time
	// wrong says why it is still the one that the server was started with, where
	// that cannot be mended from here.
	wrong string
}

// renew sees to it that all primaries write their file anew once after each start. One
// that does not answer keeps it from no other.
func (b *Backend) renew(ctx context.Context) error {
	primaries, err := b.primaries(ctx)
	w, old := &b.watchdog, b.watchdog.files
	w.files = make(map[string]file, len(primaries))
	var wrong []string
	for _, p := range primaries {
		f, failed := b.renewOne(ctx, p, old[p.name])
		err = errors.Join(err, failed)
		w.files[p.name] = f
		// An operator's word counts also for what he does not let us ask.
		if f.wrong != "" && b.Durability() == Fsync {
			wrong = append(wrong, before(p.name)+f.wrong)
		}
	}
	w.mu.Lock()
	news := !slices.Equal(w.torn, wrong)
	w.torn = wrong
	w.mu.Unlock()
	switch {
	case news && len(wrong) > 0:
		b.log.Warn("redis may lose messages when it crashes twice", "error", strings.Join(wrong, "; "))
	case news:
		b.log.Info("redis has written its file anew")
	}
	return wrap("renew", err)
}

func (b *Backend) renewOne(ctx context.Context, p primary, f file) (file, error) {
	info, err := p.client.Info(ctx).Result()
	switch {
	case err != nil:
		return f, unlessForbidden(err) // whoever may not ask for anything is told so by the doctor
	case inInfo(info, "aof_enabled") != "1" || renewed(info):
		return file{}, nil
	case underWay(info):
		return f, nil
	}
	if run := inInfo(info, "run_id"); run != f.run {
		f = file{run: run}
	} else if time.Since(f.asked) < renewEvery {
		return f, nil
	}
	f.asked = time.Now()
	refuses, err := ask(ctx, p.client, "aof-load-truncated")
	if err == nil && refuses == "no" {
		return f, nil
	}
	err = p.client.BgRewriteAOF(ctx).Err()
	switch {
	case err == nil && inInfo(info, "aof_last_bgrewrite_status") == "ok":
		b.log.Info("redis was started, and writes its file anew: a crash may have left half a change at its end", p.where()...)
	case err == nil:
		f.wrong = notRenewed("its last try to write the file anew has failed, and its log says why")
	case redis.HasErrorPrefix(err, "Background append only file rewriting already in progress"): // another gateway has asked
	case forbidden(err):
		f.wrong = notRenewed("we may not ask it to write the file anew: allow BGREWRITEAOF, or set aof-load-truncated no")
	case redis.HasErrorPrefix(err, ""):
		f.wrong = notRenewed(fmt.Sprintf("it does not write the file anew: %v", err))
	default:
		return file{}, err
	}
	return f, nil
}

func notRenewed(why string) string {
	return "a crash may have left half a change at the end of its file, which does harm at the next, and " + why
}

// renewed tells from what a server says of its file whether it has written it anew
// since it started.
func renewed(info string) bool {
	return inInfo(info, "aof_last_rewrite_time_sec") != "-1" && inInfo(info, "aof_last_bgrewrite_status") == "ok"
}

// underWay tells whether it is about to, or cannot yet.
func underWay(info string) bool {
	return inInfo(info, "loading") != "0" || inInfo(info, "aof_rewrite_in_progress") != "0" || inInfo(info, "aof_rewrite_scheduled") != "0"
}

func unlessForbidden(err error) error {
	if forbidden(err) {
		return nil
	}
	return err
}
