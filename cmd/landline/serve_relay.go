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
	return server.New(server.Config{
		Keys:    o.keys,
		Origins: o.origins,
		App:     app,
		Logger:  o.log,
		Version: readBuild().Version,

		Coalesce: o.coalesce,
	}), nil
}
