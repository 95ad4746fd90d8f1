// Package signaling is the wire protocol landline.v1 as both ends speak it: control messages, error and
// close codes, limits, and the framed WebSocket. docs/protocol.md is its prose twin; both change in one
// commit.
//
// It owns no goroutine. Its folders: token is a leaf (signed grants). server and client are plug-ins that
// import signaling: the relay's side of a session, and the Go client.
package signaling
