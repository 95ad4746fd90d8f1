// Package token mints and verifies the signed grants of docs/protocol.md section 15: JSON Web Tokens
// (RFC 7519) under HMAC-SHA-256, bound to a room and an identity.
//
// It is a leaf of signaling: it imports nothing of Landline, so the relay's server and the command that
// mints share it. It starts no goroutine and reads no clock; time is an argument. Keys are immutable
// once parsed and may be used from any goroutine.
package token
