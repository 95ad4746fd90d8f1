// Package relay holds rooms, members and tracks, and fans frames out. It knows no transport and no JSON.
//
// # Who holds what
//
// A Relay owns its Rooms, a Room its Members, a Member its Tracks. A session of any transport holds two
// handles for its Member: the Publisher, into which it writes chunks, and the Subscriber, from which it
// pulls what its socket can take. The Subscriber's queue is the only place where a frame waits. When the
// session is lost the Member stays for a while, with its Tracks and subscriptions, and the next session
// gets fresh handles. A Track has one or more Layers; a subscriber takes one of them at a time. A Room also owns its chat, its topics, of which a reader holds no more than its place, and the
// streams of objects, whose bytes wait in the stream within its credit.
//
// # Who runs what
//
// The package starts no goroutine but timers: the end of a member's grace, key-frame requests put off, and topics
// that are told a little later.
// Publisher.Write is called from the goroutine that reads the session's socket; it queues the chunk with
// every subscriber and never blocks. Subscriber.Pull is called by the one writer of the session. Notify
// functions given to Join are called without any lock held, must not block, and may come from any goroutine.
//
// # Locks, in the order in which they are taken
//
//	Relay.mu      rooms
//	Room.mu       members, tracks, subscriptions: all control state of a room
//	Track.mu      the order of writes within the layers of one track
//	Subscriber.mu queues of one subscriber
//	topic.mu      values of one topic
//	bulk.mu       what waits of one object's stream
//
// A pass over the subscribers of a track reads an atomic snapshot, and takes only their own locks. Nothing
// is called out of the package with a lock held.
package relay
