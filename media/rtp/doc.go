// Package rtp turns RTP packets into frames and frames into RTP packets, for VP8 (RFC 7741), VP9 (RFC 9628), H.264
// (RFC 6184, packetization mode 1), AV1 (AV1 RTP specification) and Opus (RFC 7587).
//
// It is a leaf of media: it imports media and the bitstream leaves, is pure, and is given the time wherever it needs one.
//
// A Depacketizer puts packets in order, waits a bounded time for those that are missing, strips the codec's descriptor and gives
// whole frames. What was lost ends the group: nothing comes until the next key frame, so that a frame that it gives can always be
// decoded. A Packetizer makes everything anew: descriptors, a contiguous sequence, timestamps. So there is nothing to be
// rewritten between the two sides of a relay.
package rtp
