// Package failpoint marks the places in the program at which tests let it die.
//
// It promises that a normal build has none of it: Hit is empty, and Now is the
// system's clock. A build with the tag failpoints, for Linux, counts the hits of each point,
// and does what its environment says at one of them:
//
//	LIGHTLOCK_FAILPOINTS        POINT=ACTION@N, several with a comma between: at the N-th hit
//	                            of POINT, counted from 1 in each process, the process is killed
//	                            (kill, SIGKILL), stopped (stop, SIGSTOP) or held up
//	                            (sleep:500ms, the one goroutine alone)
//	LIGHTLOCK_FAILPOINTS_HITS   a file to which each hit adds a line with the point's name,
//	                            so that hits of processes that were killed are counted too
//	LIGHTLOCK_FAILPOINTS_CLOCK  by how much Now is ahead of the system's clock, such as 10m;
//	                            below zero it is behind
//
// What cannot be read there is a panic at the first hit: a test whose fault
// never comes would prove nothing.
package failpoint

// Point is a place in the program. The text is its name in the environment and
// in the file of hits.
type Point string

// The points on the way in, in the order of the line.
const (
	BeforeAccept Point = "before-accept" // events are verified and parsed, and not durable
	AfterAccept  Point = "after-accept"  // they are durable, and the platform has no answer
	AfterRead    Point = "after-read"    // an entry was handed out, and no attempt is registered
	AfterBegin   Point = "after-begin"   // the attempt is registered
	MidFetch     Point = "mid-fetch"     // the platform has begun to answer
	MidDevelop   Point = "mid-develop"   // a child has the photo
	MidBlobs     Point = "mid-blobs"     // the preview is stored and the thumbnail is not
	AfterBlobs   Point = "after-blobs"   // both are stored, and nobody knows of them
	BeforeRetry  Point = "before-retry"  // a try failed, and the entry is not put off
	AfterRetry   Point = "after-retry"   // it is put off
	BeforeEnd    Point = "before-complete"
	AfterEnd     Point = "after-complete"
	MidUnsend    Point = "mid-unsend" // pictures are deleted, and the words are not
)

// The points of what becomes of a message in more than one step.
const (
	BeforeTell   Point = "before-tell" // the photos of a message take long, and its text is not told
	AfterTell    Point = "after-tell"  // it is
	BeforeSettle Point = "before-settle"
	AfterSettle  Point = "after-settle" // agents have what became of photos whose text they had
	BeforeDead   Point = "before-dead"  // a message has failed, and is no dead letter yet
	AfterDead    Point = "after-dead"
)

// The points of dead letters whose event never was in the journal, and of those
// that are given another try.
const (
	BeforeBury   Point = "before-bury" // an event cannot be accepted, and is not kept
	AfterBury    Point = "after-bury"  // it is kept, and the platform has no answer
	BeforeRevive Point = "before-revive"
	AfterRevive  Point = "after-revive"  // the letter is back in the journal
	MidRetake    Point = "mid-retake"    // a letter's event may be accepted again, and is not
	BeforeUnlist Point = "before-unlist" // it is, and the letter is still there
)

// The points of the sweep.
const (
	BeforeSweep Point = "before-sweep" // an orphan is found
	MidSweep    Point = "mid-sweep"    // its pictures are deleted, and the register has it
	AfterSweep  Point = "after-sweep"
)

// The points of the spool.
const (
	BeforeFsync Point = "before-fsync" // records are written, and not on the disk
	AfterAppend Point = "after-append" // they are, and nobody has been told
	MidDrain    Point = "mid-drain"    // the journal has them, and the spool does not know
)

// The points on the way out.
const (
	BeforeSend Point = "before-send" // a message is marked as being sent, and is not
	AfterSend  Point = "after-send"  // the platform has it, and that is not noted
)

// Points returns all points.
func Points() []Point {
	return []Point{
		BeforeAccept, AfterAccept, AfterRead, AfterBegin, MidFetch, MidDevelop, MidBlobs, AfterBlobs,
		BeforeRetry, AfterRetry, BeforeEnd, AfterEnd, MidUnsend,
		BeforeTell, AfterTell, BeforeSettle, AfterSettle, BeforeDead, AfterDead,
		BeforeBury, AfterBury, BeforeRevive, AfterRevive, MidRetake, BeforeUnlist, BeforeSweep, MidSweep, AfterSweep,
		BeforeFsync, AfterAppend, MidDrain, BeforeSend, AfterSend,
	}
}
