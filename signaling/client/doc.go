// Package client is the Go end of landline.v1: it keeps one member in a room, over as many WebSockets as
// that takes. It is a plug-in of signaling.
//
// # Who owns what
//
// A Room is a member's hold on a room. It owns one session (a WebSocket) at a time, the uplink in which
// frames wait to be sent (the same queue that a relay keeps for each of its receivers, with the same rules for what is
// dropped), the tracks in both directions, and the roster.
//
// # Who runs what
//
//	supervise  one per Room: waits for a session to end, and comes back with the resume token
//	read       one per session: the only reader of the socket. Acks and answers are dealt with here, all else
//	           is queued, at most inboxBytes of it
//	write      one per session: the only writer of the socket. It pulls from the uplink
//	deliver    one per Room: takes from the queue, puts frames together and calls OnEvent and OnFrame.
//	           A message is acknowledged once it was taken, so a slow callback makes the relay hold back
//
//	feed, hash one each per receiver of an object that is sent, and per object: they read the source
//	write      one per object that comes: it writes to its Sink. The sender gets credit for what was written
//
// Every goroutine that handles the relay's bytes has a recover barrier that ends the Room with an error.
// Callbacks are called with no lock held. They may use every method but Close, Publish, Drain and Wait, which
// wait for what the callback holds up.
package client
