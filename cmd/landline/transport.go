package main

import (
	"time"

	"landline/signaling/client"
	"landline/signaling/rtc"
)

// transportFlags say what carries the media.
type transportFlags struct {
	Transport string `enum:"auto,ws,webrtc" default:"auto" group:"connect" help:"What carries the media: ws, the WebSocket; webrtc, UDP beside it; auto is ws in this version."`
}

// receiveLines is how many tracks of each kind one who watches can receive over WebRTC.
const receiveLines = 4

// wanted gives the client its WebRTC; nil leaves media on the WebSocket. wait is how long a missing packet is waited for.
func (f *transportFlags) wanted(con *console, receive int, wait time.Duration) client.WebRTC {
	if f.Transport != "webrtc" {
		return nil
	}
	return &rtc.Dialer{Wait: wait, Receive: receive, Logger: con.log}
}

// pathReport counts the frames of a track by what carried them.
type pathReport struct {
	WebSocket uint64 `json:"websocket"`
	WebRTC    uint64 `json:"webrtc"`
}
