package sweep_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	sweptTotal   = "lightlock_orphans_swept_total"
	expiredTotal = "lightlock_pictures_expired_total"
	troubleTotal = "lightlock_trouble_total"
)

func TestOrphansAreSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 100)
		defer k.start(t)()
		time.Sleep(2 * time.Minute) // the first within one
		synctest.Wait()
		if k.journal.left() != 0 || k.shelf.count() != 200 {
			t.Errorf("%d orphans are registered and %d attempts stored, want 0 and 200", k.journal.left(), k.shelf.count())
		}
		for i := range 100 {
			if !k.shelf.has("sales " + attempt(1000+i)) {
				t.Errorf("the pictures of %s are gone, which is no orphan", attempt(1000+i))
			}
		}
		if got := metric(t, k.Metrics, sweptTotal); got != "200" {
			t.Errorf("%s is %s, want 200", sweptTotal, got)
		}
		first, last := k.shelf.deletes[0], k.shelf.deletes[len(k.shelf.deletes)-1]
		if took := last.Sub(first); took < 3*time.Second {
			t.Errorf("200 attempts were deleted in %v, want 50 a second at most", took)
		}
		if k.shelf.checked != 1 || !strings.Contains(k.log.String(), "disk is full") {
			t.Errorf("the store was tried %d times, want once and its error in the log:\n%s", k.shelf.checked, k.log)
		}
	})
}

// A gateway that was stopped may put a picture when it goes on, although its
// attempt was swept meanwhile.
func TestAnAttemptThatIsWrittenToAfterItsSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 1)
		k.journal.young = map[string]bool{attempt(0): true}
		defer k.start(t)()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if k.shelf.has("sales "+attempt(0)) || k.journal.left() != 2 {
			t.Fatalf("%d attempts are registered, want both, without their pictures", k.journal.left())
		}
		k.shelf.change(func() { k.shelf.ages["sales "+attempt(0)] = 0 })
		k.journal.mu.Lock()
		k.journal.young = nil
		k.journal.mu.Unlock()
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		if k.shelf.has("sales "+attempt(0)) || k.journal.left() != 0 {
			t.Errorf("%d attempts are registered, want none, and no picture left", k.journal.left())
		}
	})
}

// How often, and that many gateways do not do it all at one moment.
func TestSweepsFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 0)
		short := newKit(t, 0)
		short.Lease = 3 * time.Second
		defer k.start(t)()
		defer short.start(t)()
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		// 60 times in ten hours, two queues each.
		if got := k.journal.looks; got < 2*54 || got > 2*68 {
			t.Errorf("orphans were looked for %d times, want about 120", got)
		}
		if got := short.journal.looks; got < 2*1090 || got > 2*1340 {
			t.Errorf("with a short lease they were looked for %d times, want about 2400", got)
		}
	})
}

// What cannot be deleted stays registered, and holds up no other.
func TestAnAttemptThatCannotBeDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 20)
		fault := errors.New("locked")
		k.shelf.stuck = func(name string) error {
			if strings.HasSuffix(name, attempt(3)) {
				return fault
			}
			return nil
		}
		defer k.start(t)()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if k.journal.left() != 2 || !k.shelf.has("sales "+attempt(3)) || k.shelf.has("sales "+attempt(19)) {
			t.Errorf("%d orphans are left, want the one of each queue that cannot be deleted", k.journal.left())
		}
		if metric(t, k.Metrics, sweptTotal) != "38" || metric(t, k.Metrics, troubleTotal) == "0" || !strings.Contains(k.log.String(), "locked") {
			t.Errorf("%s swept, %s times trouble, log:\n%s", metric(t, k.Metrics, sweptTotal), metric(t, k.Metrics, troubleTotal), k.log)
		}
		k.shelf.change(func() { fault = nil })
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		if k.journal.left() != 0 {
			t.Errorf("%d orphans are left, want none once they can be deleted", k.journal.left())
		}
	})
}

// A store that is away is left alone until the next time.
func TestAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 100)
		tried := 0
		k.shelf.stuck = func(string) error {
			if tried++; tried > 10 {
				return errors.New("away")
			}
			return nil
		}
		defer k.start(t)()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := k.journal.left(); got != 190 {
			t.Errorf("%d orphans are registered, want 190: ten were deleted", got)
		}
		if tried > 20 {
			t.Errorf("%d tries to delete, want few while the store is away", tried)
		}
	})
}

func TestAJournalThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 20)
		k.journal.away = errors.New("redis is away")
		stop := k.start(t)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if k.shelf.count() != 80 || metric(t, k.Metrics, troubleTotal) != "2" {
			t.Errorf("%d attempts are stored, want all 80, and trouble with two queues", k.shelf.count())
		}
		k.journal.mu.Lock()
		k.journal.away = nil
		k.journal.mu.Unlock()
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		if k.journal.left() != 0 || k.shelf.count() != 40 {
			t.Errorf("%d orphans are registered and %d attempts stored, want 0 and 40", k.journal.left(), k.shelf.count())
		}
		stop()
	})
}

func TestPicturesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 0)
		k.shelf.ages = map[string]time.Duration{
			"sales " + attempt(1):   k.Keep + time.Second,
			"sales " + attempt(2):   k.Keep,
			"support " + attempt(1): 10 * k.Keep,
			"gone " + attempt(1):    k.Keep + time.Hour, // of a queue that no account names any more
			"support " + attempt(2): 0,
		}
		defer k.start(t)()
		time.Sleep(15 * time.Minute) // the first within ten
		synctest.Wait()
		if k.shelf.count() != 2 || !k.shelf.has("sales "+attempt(2)) || !k.shelf.has("support "+attempt(2)) {
			t.Errorf("left: %v, want the two that are no older than %v", k.shelf.ages, k.Keep)
		}
		if got := metric(t, k.Metrics, expiredTotal); got != "3" {
			t.Errorf("%s is %s, want 3", expiredTotal, got)
		}
		k.shelf.change(func() { k.shelf.ages["sales "+attempt(2)] = k.Keep + time.Hour })
		time.Sleep(12 * time.Hour)
		if k.shelf.count() != 2 {
			t.Error("the store was looked through again after twelve hours, want a day")
		}
		time.Sleep(15 * time.Hour)
		synctest.Wait()
		if k.shelf.count() != 1 {
			t.Error("what has become too old since is there after a day")
		}
	})
}

func TestWithoutATimeEverythingIsKept(t *testing.T) {
	for _, keep := range []time.Duration{0, -time.Hour, 24*time.Hour - 1} {
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t, 0)
			k.Keep = keep
			k.shelf.ages = map[string]time.Duration{"sales " + attempt(1): 1e6 * time.Hour}
			defer k.start(t)()
			time.Sleep(48 * time.Hour)
			if k.shelf.count() != 1 {
				t.Errorf("keep %v: a picture was deleted", keep)
			}
		})
	}
}

// A picture that cannot be deleted is tried again the next day, and the others
// go; a store that is away is left alone.
func TestExpiryMeetsFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 0)
		for i := range 50 {
			k.shelf.ages["sales "+attempt(i)] = 2 * k.Keep
		}
		k.shelf.stuck = func(name string) error {
			if strings.HasSuffix(name, attempt(3)) {
				return errors.New("locked")
			}
			return nil
		}
		defer k.start(t)()
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if k.shelf.count() != 1 || metric(t, k.Metrics, troubleTotal) != "1" || !strings.Contains(k.log.String(), "locked") {
			t.Errorf("%d attempts are left, want 1, and trouble told once:\n%s", k.shelf.count(), k.log)
		}
		tried := 0
		k.shelf.change(func() {
			for i := range 50 {
				k.shelf.ages["sales "+attempt(i)] = 2 * k.Keep
			}
			k.shelf.stuck = func(string) error { tried++; return errors.New("away") }
		})
		time.Sleep(27 * time.Hour)
		synctest.Wait()
		if k.shelf.count() != 50 || tried != 3 {
			t.Errorf("%d attempts are left after %d tries, want 50 after 3", k.shelf.count(), tried)
		}
	})
}

// A stop does not wait for what is left to do.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, 200)
		for i := range 500 {
			k.shelf.ages["sales "+attempt(5000+i)] = 2 * k.Keep
		}
		stop := k.start(t)
		for k.shelf.count() == 900 || metric(t, k.Metrics, expiredTotal) == "0" {
			time.Sleep(time.Second)
		}
		stopped := time.Now()
		stop()
		if took := time.Since(stopped); took > 100*time.Millisecond {
			t.Errorf("the stop took %v", took)
		}
		if metric(t, k.Metrics, troubleTotal) != "0" {
			t.Errorf("a stop was told as trouble:\n%s", k.log)
		}
	})
}
