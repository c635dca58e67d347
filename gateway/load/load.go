// Package load puts a gateway under load and holds it to its promise.
//
// It speaks for the platforms: a Plan says what consumers say, and in which
// shares it comes twice, is taken back, edited or forged; Speakers sign it as the
// platforms sign; Run sends it over a number of connections, as fast as they go
// or at a rate, and a Ledger holds what was answered 2xx against what the queue
// brings. A Target is what is called: gateways that run already (Connect), or
// some of our own, started for it as processes (House).
//
// It promises that each call is what the platform would send, that no processor
// time is taken for making calls while others are measured, as far as they could
// be made before, and that what it calls lost was answered 2xx and is neither in
// the queue nor in the journal, nor taken back by its sender. Times are kept in
// HdrHistograms, whose percentiles are right to three digits whatever the range.
//
// The parts are for tests as well, which kill gateways while a plan is carried
// out.
package load
