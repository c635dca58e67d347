// Package ops is what operators look at: metrics, and whether the gateway is
// alive and ready.
//
// It promises that no label and no line holds a consumer's id, a text, an
// address with a query, or a secret, and that labels come from configuration or
// from fixed words, so that no stranger can make new series. Metrics are
// Prometheus' own client, the field's standard.
//
// # Metrics
//
//	lightlock_webhooks_total{connector,result}      webhook calls: accepted, unauthentic, too_large, incomplete,
//	                                                unavailable and no_room, too many long bodies at once (both
//	                                                answered 503), challenge, challenge_refused;
//	                                                connector "none" with unknown for calls to no connector
//	lightlock_events_total{connector,kind,reason}   events of verified webhooks; kind ignored are those passed over
//	lightlock_duplicates_total{connector}           messages that had been accepted before
//	lightlock_settled_total{connector,fate}         events that needed no work: withdrawn messages, void changes;
//	                                                connector "" for those found withdrawn at work
//	lightlock_letters_expired_total{queue,why}      dead letters removed for their age, or for their bytes together
//	lightlock_photos_total{account,status,reason}   verdicts: ready, or rejected with a public reason
//	lightlock_photos_damaged_total{account}         ready photos of which a part was missing (photos.damaged: show)
//	lightlock_photo_profiles_total{use}             photos developed that had a colour profile of their own: converted,
//	                                                or ignored, with their numbers taken for sRGB; one that is
//	                                                developed twice, for a try that failed later, counts twice
//	lightlock_orphans_swept_total{queue}            attempts that were not delivered and whose pictures were deleted
//	lightlock_pictures_expired_total                attempts whose pictures were deleted for their age (photos.keep)
//	lightlock_forwarded_total{queue}                messages put into an agents' queue
//	lightlock_told_total{queue}                     of these, messages whose photos were not settled yet
//	lightlock_outgoing_total{account,kind,result}   messages to consumers, notices and replies: sent, failed, unknown
//	lightlock_message_seconds{queue}                from the webhook's arrival to the agents' queue
//	lightlock_accept_seconds{connector}             from a verified webhook to its being durable
//	lightlock_spooled_total{queue}                  webhooks that went to the spool, because the journal did not take
//	                                                them; they count as accepted above
//	lightlock_spool_records{queue}                  webhooks that wait in the spool
//	lightlock_spool_oldest_seconds{queue}           age of the oldest of them
//	lightlock_spool_aside{queue}                    files of the spool with something that could not be handed in
//	lightlock_spool_bytes                           what all files of the spool take up
//	lightlock_spool_limit_bytes                     what they may take up; zero where the spool is off
//	lightlock_trouble_total{step,kind}              things that went wrong on the way:
//	                                                accept: mismatch, an event that came again with other words
//	                                                photo: a try failed, by kind of error, or ours; or there was none,
//	                                                because the host is left alone (host_fails, host_paused) or busy
//	                                                fetch: digest, digest_again (let through); cut_off, a file
//	                                                that ends too early, and cut_off_again, no better the second time
//	                                                develop: child_died
//	                                                journal: breach, or the step at which Redis did not answer
//	                                                spool: broken, a record that stays in its file
//	                                                work: dead, unfinished, newer, left for a gateway of a newer
//	                                                release, which wrote it
//	                                                sweep: orphans, or expire: what did not go through
//	                                                registration: missing, repaired, not_repaired, or a kind of error
//	                                                send: retry, newer
//	                                                outgoing: unfinished, or the step at which Redis did not answer
//	                                                receipt: passed_over, because there were too many, or journal: what
//	                                                the platform said of a reply did not reach its conversation
//	                                                archive: move, or expire: what did not go through, and will be tried again
//	                                                sign-in: refused
//	lightlock_queue_messages{queue,state}           waiting, in_work, delayed, dead, delivered; and told, those of the
//	                                                first three whose text was forwarded before their photos
//	lightlock_queue_oldest_seconds{queue,state}     age of the oldest waiting, delivered, dead
//	lightlock_queue_overdue_seconds{queue}          by how long the first delayed message is late
//	lightlock_queue_accepted_total{queue}           put into the journal ever, by all gateways
//	lightlock_queue_finished_total{queue}           of these, those that have left it for good
//	lightlock_queue_unaccounted{queue}              the difference that is not in the journal: zero, or messages are lost
//	lightlock_account_photos{queue,account,state}   messages with photos: next, those that are or may be in work, and
//	                                                behind, those that wait for them
//	lightlock_account_oldest_seconds{queue,account} age of the first that waits behind
//	lightlock_queue_letters_bytes{queue}            what the dead letters take up
//	lightlock_queue_readers{queue}                  consumers of agents' software
//	lightlock_photo_memory_bytes{share}             memory that photos hold: originals, children at work
//	lightlock_photos_waiting{share}                 photos that wait for it, or for a process
//	lightlock_darkroom_children_total               processes started to develop photos: one for each, the trial photo at
//	                                                the start among them, one more where a try had to be repeated, and
//	                                                those that stand ready
//	lightlock_hosts_open{account,reason}            media hosts that are left alone for a while, because they fail, or
//	                                                paused, because they asked for patience
//	lightlock_redis_memory_ratio                    part of its maxmemory that Redis uses; of a cluster's primaries the fullest
//	lightlock_admission_closed                      1 while nothing is accepted because Redis is nearly full
//	lightlock_redis_wrong                           what is wrong with a Redis that serves: zero, or it may lose messages
//	lightlock_redis_durability{level}               1 for how it keeps what it acknowledges: fsync, trusted, memory
//	lightlock_queue_talks{queue}                    conversations in which something waits to be sent
//	lightlock_queue_conversations{queue}            conversations that are open, and take up Redis' memory until they are closed
//
// Beside these are Go's own and the process's.
package ops

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the gateway's figures. Its methods may be called from many
// goroutines at once.
type Metrics struct {
	registry *prometheus.Registry

	webhooks   *prometheus.CounterVec
	events     *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	photos     *prometheus.CounterVec
	damaged    *prometheus.CounterVec
	profiles   *prometheus.CounterVec
	forwarded  *prometheus.CounterVec
	told       *prometheus.CounterVec
	outgoing   *prometheus.CounterVec
	settled    *prometheus.CounterVec
	expired    *prometheus.CounterVec
	spooled    *prometheus.CounterVec
	swept      *prometheus.CounterVec
	old        *prometheus.CounterVec
	trouble    *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	accept     *prometheus.HistogramVec
}

// NewMetrics makes a fresh set of metrics in a registry of its own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		webhooks:   counter("webhooks_total", "Webhook calls by what became of them.", "connector", "result"),
		events:     counter("events_total", "Events in verified webhooks by kind, and why they were passed over.", "connector", "kind", "reason"),
		duplicates: counter("duplicates_total", "Messages that had been accepted before.", "connector"),
		photos:     counter("photos_total", "Photos by verdict.", "account", "status", "reason"),
		damaged:    counter("photos_damaged_total", "Ready photos of which a part was missing.", "account"),
		profiles:   counter("photo_profiles_total", "Photos with a colour profile of their own, by what became of it.", "use"),
		forwarded:  counter("forwarded_total", "Messages put into an agents' queue.", "queue"),
		told:       counter("told_total", "Messages put into an agents' queue before their photos were settled.", "queue"),
		outgoing:   counter("outgoing_total", "Messages to consumers by what became of them.", "account", "kind", "result"),
		settled:    counter("settled_total", "Events that needed no work, because their message was taken back or nothing was left to change.", "connector", "fate"),
		expired:    counter("letters_expired_total", "Dead letters removed for their age, or for their bytes together.", "queue", "why"),
		spooled:    counter("spooled_total", "Webhooks that went to the spool.", "queue"),
		swept:      counter("orphans_swept_total", "Attempts that were not delivered and whose pictures were deleted.", "queue"),
		old:        counter("pictures_expired_total", "Attempts whose pictures were deleted for their age."),
		trouble:    counter("trouble_total", "Things that went wrong on the way, by step and kind.", "step", "kind"),
		latency: histogram("message_seconds", "From the webhook's arrival to the agents' queue.",
			[]float64{.01, .03, .1, .3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000}, "queue"),
		accept: histogram("accept_seconds", "From a verified webhook to its being durable.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}, "connector"),
	}
	m.registry.MustRegister(m.webhooks, m.events, m.duplicates, m.photos, m.damaged, m.profiles,
		m.forwarded, m.told, m.outgoing, m.settled, m.expired, m.spooled, m.swept, m.old, m.trouble, m.latency, m.accept,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "lightlock", Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "lightlock", Name: name, Help: help, Buckets: buckets}, labels)
}

// Register adds collectors, such as one that asks Redis when it is scraped.
func (m *Metrics) Register(all ...prometheus.Collector) { m.registry.MustRegister(all...) }

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Gatherer gives the metrics to a test.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Webhook counts a webhook call; result is one of few fixed words.
func (m *Metrics) Webhook(connector, result string) {
	m.webhooks.WithLabelValues(connector, result).Inc()
}

// Event counts an event of a verified webhook.
func (m *Metrics) Event(connector, kind, reason string) {
	m.events.WithLabelValues(connector, kind, reason).Inc()
}

// Duplicate counts a message that had been accepted before.
func (m *Metrics) Duplicate(connector string) { m.duplicates.WithLabelValues(connector).Inc() }

// Photo counts a verdict.
func (m *Metrics) Photo(account, status, reason string) {
	m.photos.WithLabelValues(account, status, reason).Inc()
}

// Damaged counts a ready photo of which a part was missing.
func (m *Metrics) Damaged(account string) { m.damaged.WithLabelValues(account).Inc() }

// Profile counts a photo with a colour profile of its own by what became of it.
// Those without, of which use is empty, are most and are not counted.
func (m *Metrics) Profile(use string) {
	if use != "" {
		m.profiles.WithLabelValues(use).Inc()
	}
}

// Forwarded counts a message that reached the agents' queue, and how long it
// took since its webhook arrived.
func (m *Metrics) Forwarded(queue string, took time.Duration) {
	m.forwarded.WithLabelValues(queue).Inc()
	m.latency.WithLabelValues(queue).Observe(took.Seconds())
}

// Told counts a message that reached the agents' queue before its photos were
// settled.
func (m *Metrics) Told(queue string) { m.told.WithLabelValues(queue).Inc() }

// Accepted notes how long it took to make a webhook's events durable.
func (m *Metrics) Accepted(connector string, took time.Duration) {
	m.accept.WithLabelValues(connector).Observe(took.Seconds())
}

// Outgoing counts a message to a consumer that has its result.
func (m *Metrics) Outgoing(account, kind, result string) {
	m.outgoing.WithLabelValues(account, kind, result).Inc()
}

// Settled counts an event that needed no work, by what had become of it.
func (m *Metrics) Settled(connector, fate string) {
	m.settled.WithLabelValues(connector, fate).Inc()
}

// LettersExpired counts dead letters that were removed; why is age or bytes.
func (m *Metrics) LettersExpired(queue, why string, n int) {
	m.expired.WithLabelValues(queue, why).Add(float64(n))
}

// Spooled counts a webhook that went to the spool.
func (m *Metrics) Spooled(queue string) { m.spooled.WithLabelValues(queue).Inc() }

// OrphansSwept counts attempts that were not delivered and whose pictures were
// deleted.
func (m *Metrics) OrphansSwept(queue string, n int) { m.swept.WithLabelValues(queue).Add(float64(n)) }

// PicturesExpired counts an attempt whose pictures were deleted for their age.
func (m *Metrics) PicturesExpired() { m.old.WithLabelValues().Inc() }

// Trouble counts something that went wrong in a step.
func (m *Metrics) Trouble(step, kind string) { m.trouble.WithLabelValues(step, kind).Inc() }
