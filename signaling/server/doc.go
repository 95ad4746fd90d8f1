// Package server is the relay's side of landline.v1: it upgrades WebSockets, runs sessions, and serves the
// browser app, /healthz, /metrics and /api/rooms beside them. It is a plug-in of signaling.
//
// # Who owns what, who runs what
//
// A Server owns its Sessions and the table of resume tickets. One ticker goroutine looks at all sessions once
// a second: heartbeats, dead peers, ageing queues. As many shard goroutines as there are processors write.
//
// A Session has one goroutine that reads its socket, handles control, and writes chunks into its Publisher.
// There is exactly one writer at any time: the session's shard, which pulls from the Subscriber and writes
// without blocking, or, while the socket is full (and always under TLS), a goroutine of the session's own.
// A shard serves sessions for which audio waits before those for which only video waits, also in the middle of a
// pass over many sessions.
//
// gorilla/websocket upgrades and parses. It never writes: once the upgrade is done, what it writes of its own
// accord (pongs, close frames) goes nowhere, since only the session's writer may write.
//
// # Locks
//
//	Server.joins   one join or resume at a time, taken before any lock of relay
//	Server.mu      registry of sessions, tickets
//	Session.mu     what waits to be sent besides the Subscriber's
//	shard.mu       who is to be written next
//
// None is held while another of them, or one of relay, is taken, except that joins is held around the rest.
package server
