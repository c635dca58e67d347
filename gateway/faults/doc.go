// Package faults has no code of its own. Its tests let the real program meet
// every fault that the gateway promises to survive.
//
// Each test starts the program, built with the tag failpoints, as one or several
// processes between a real redis-server and simulated platforms, and hurts it:
// with signals, at named points in its code, at its disk, its memory, its
// network and its clock. Each that comes to serve ends with the balance
// (balance_test.go): every event that was accepted is in exactly one place, what
// was answered 2xx is among them, nothing is twice in the agents' queue, and
// verdict, text and pictures are those of a run without faults.
//
// # The rows
//
// Each fault has a number, and a test of that number here. What a package shows
// more closely than the whole program can is named beside it.
// TestEveryRowHasItsTest looks whether all of them are there.
//
//	 1 killed before the accept script: TestRow01
//	 2 killed behind it, before 2xx: TestRow02
//	 3 a gateway killed at each point of its work, and three over one message: TestRow03;
//	   while it sends: TestOutgoing
//	 4 a gateway stopped past its lease, then continued: TestRow04
//	 5 a darkroom child killed: TestRow05; gateway/darkroom: TestDeadlyPhotoCostsOneChild,
//	   gateway/darkroom: TestGarbageStaysWithinTheGrant
//	 6 redis-server killed and restarted: TestRow06; gateway/queue: TestWhatWasAcknowledgedSurvivesAKillOfRedis,
//	   gateway/queue: TestHalfAScriptInAnothersRedisDoesNotComeBack
//	 7 Redis loading, or asleep: TestRow07
//	 8 failover, a primary of a cluster lost: TestRow08
//	 9 disk full under Redis, under the spool: TestRow09; gateway/spool: TestFullDisk
//	10 maxmemory reached by a backlog: TestRow10; gateway/queue: TestAFullRedisTakesNothingInAndLetsWorkersFinish
//	11 evicting policy, no AOF: TestRow11; gateway/queue: TestTheDoctorNamesWhatWouldLoseMessages
//	12 reply lost after Redis executed: TestRow12; gateway/queue: TestALostReplyMakesNoSecondEffect for every script
//	13 a media host slow, hanging, endless, cut off: TestRow13, which drips for longer than the
//	   total time in the long form; connectors/wire: TestBodyThatFallsSilent,
//	   connectors/wire: TestSlowDripEndsAtTheTotalDeadline
//	14 an account with 100,000 photos on a hanging host: TestRow14
//	15 media gone, throttled: TestRow15
//	16 the store down, slow, full: TestRow16
//	17 an event a hundred times at once, after seven days, with another body: TestRow17
//	18 a batch with an event that does not parse: TestRow18
//	19 unsend before, during and after development, and before the message: TestRow19; gateway/queue: TestTheLawOfUnsends
//	20 close while a photo is in work: TestRow20
//	21 SIGTERM under load, of three gateways in turn as well: TestRow21; what is not finished in
//	   time is given back: gateway/inbound: TestNothingIsLostAtAStop
//	22 an old and a new version side by side: TestRow22; gateway/queue: TestADelayedEntryOfANewerReleaseIsLeftAlone
//	23 ten times the load: TestRow23
//	24 a gateway's clock that is off: TestRow24
//
// TestChaos does it all at random. Its long form is `go tool task chaos`.
package faults
