package main

import (
	"landline/signaling/server"
	"landline/web"
)

// newRelay makes the relay with the browser app that this binary holds.
func newRelay(o relayOptions) (relayServer, error) {
	app, err := web.App()
	if err != nil {
		o.log.Warn("serving without the browser app", "reason", err)
	}
	config := server.Config{
		Keys:    o.keys,
		Origins: o.origins,
		App:     app,
		Logger:  o.log,
		Version: readBuild().Version,

		Coalesce: o.coalesce,
		Faults:   o.faults,

		Recordings:  o.recordings,
		RecordRooms: o.recordRooms,
	}
	if o.webRTC != nil { // an interface with a nil in it would not be nil
		config.WebRTC = o.webRTC
	}
	return server.New(config), nil
}
