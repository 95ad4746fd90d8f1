// Package play plays recordings into rooms. It is a plug-in of relay: whoever was recorded is a member again that only publishes.
//
// # Who runs what
//
// A Deck knows what is played where, one Player a room. A Player has one goroutine, which reads the file, waits until a frame is due, and writes it;
// what people want of it comes to that goroutine as a Change. It reads a little ahead, so that frames go out by time though a file has them nearly so.
// Publisher.Write never blocks: nobody who listens holds a Player up.
//
// # Time
//
// A timestamp is the time at which its frame was due, by a clock that runs from the Player's beginning on: it never goes back, whatever the position in
// the recording does. After a change of position each track of video begins with its next key frame.
//
// # Locks
//
//	Deck.mu    which Players there are
//	Player.mu  what is told of it
package play
