// Package rtc carries media over WebRTC (docs/protocol.md sections 19 and 20): beside a session, at either end, and for WHIP and
// WHEP. It is a plug-in of signaling: server and client know it by interfaces of their own, and without it the feature is off.
//
// # Who owns what
//
// A Port owns the UDP socket of a server, the listener of its ICE-TCP, and every path on them. A path is one PeerConnection: a sender, which pulls from a
// relay.Subscriber, makes packets and paces them, and a receiver for each m-line that comes in, which makes frames. Call, in a
// session of the server, Dialer at a client, and the resources of WHIP and WHEP differ only in how the offer arrives and where
// frames go.
//
// # Who runs what
//
//	send     one per path that sends: the only one that pulls from the Subscriber and writes RTP
//	receive  one per m-line that comes in; all of a path hold its lock while frames go on
//	control  one per m-line and direction: reads RTCP
//	tick     one per path: missing packets are given up, and key frames asked for
//
// Each has a recover barrier that ends its path alone. Pion runs goroutines of its own, which end with the path.
package rtc
