// Package rate decides how many bytes may be in flight to a receiver, from nothing but the receiver's
// acknowledgements. It is a leaf of relay, and pure: no clock, no goroutine, no socket; time is an argument.
// web/sdk/send/rate.ts is its twin, held to the same traces (testdata/rate.json).
//
// # What it goes by
//
// An ack tells how many bytes have come and when the last of them came, by the receiver's own clock. Two things
// follow, whatever proxies and kernels hide in between. The delivered rate is bytes between two acks by the time
// between them. The queueing delay is how much longer the newest acknowledged message was under way than the quickest
// one of late; the offset between the two clocks drops out of the difference. How long an ack itself took is in neither.
//
// # What it does
//
// The Window is what may be in flight. It begins at 16 KiB and doubles each round trip while the sender has more to
// send and the delay does not grow (startup). Once it grows, the window is what the path takes in its round trip, the
// time between acks, and 50 ms on top (steady): the queue that stands on the path is some 50 ms. Where the delay
// exceeds 100 ms the window falls at once to 0.85 of what was delivered just now (drain). When the delay of a full link
// has not been near its minimum for ten seconds, the window is halved for a round trip, to see what the minimum is
// (probe): routes and clocks change.
package rate
