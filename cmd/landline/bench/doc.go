// Package bench is the engine of landline bench: it loads a relay and tells figures that can be trusted. It is a
// leaf below cmd/landline, which may import it.
//
// Nothing measures itself here. The process that was started (Run) only gives orders and reads the relay's /metrics;
// publishers, receivers and the floor are processes of their own (Worker, Floor), the same binary once more, which
// take orders as lines of JSON on stdin and answer on stdout. The end of stdin ends them.
//
// A worker is one thread around epoll: hundreds of sockets cost it one read each when something came, and no
// goroutine. It does not use package signaling/client, which is made for one room and whose cost per frame would be
// measured as the relay's latency. Under TLS, which needs a goroutine per connection, figures of latency are coarser. So
// they are over WebRTC, where media comes through Pion, beside that thread; its floor is bare Pion.
//
// Every frame carries the moment at which it was sent, by CLOCK_MONOTONIC, which all processes of a machine share.
// So latency is exact if receivers and publishers run on one machine, wherever the relay is.
package bench
