// Package impair is a TCP path with faults, for tests: a proxy on loopback that carries connections at a rate, with a delay, through
// a buffer, in small slices, or not at all for a while. What it does by chance, it does from a seed.
//
// Beside it Datagrams is a path for UDP, which delays and loses. There, losses are real: nobody mends them on the way.
//
// A leaf: it imports the standard library alone.
//
// Each connection has a path of its own, with these stations in each direction:
//
//	socket -> queue (Buffer, Hold) -> transmitter (Rate) -> flight (Delay, Jitter) -> socket (Slice)
//
// TCP's own work is done on both sides of the proxy, at loopback's speed: its handshake takes no Delay, its headers none of the
// Rate, and nothing is ever lost. The sockets have small kernel buffers, about 3 KiB or 20 ms of the rate, so that a full queue
// is felt by the sender soon. What the sender's own kernel holds is the sender's. A path with a Buffer and no rate leaves its sockets to
// the kernel: a real path on its far side can fill them.
//
// Per connection and direction one goroutine reads and one writes. The reader waits while the queue is full. Their state is a lane,
// which knows time only as an argument. Time stands still in a path that is stalled.
package impair
