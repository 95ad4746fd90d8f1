package main

import (
	"landline/signaling"
	"landline/signaling/client"
)

// connectFlags is how a client command reaches a relay.
type connectFlags struct {
	URL   string `default:"http://127.0.0.1:8080" group:"connect" help:"Address of the relay."`
	Token string `group:"connect" help:"Token, where the relay has keys. Better given by environment, which other users cannot see."`
	JSON  bool   `group:"connect" help:"Write one JSON object to stdout at the end."`
}

// roomFlags is connectFlags for a command that joins a room.
type roomFlags struct {
	connectFlags
	Room string `required:"" group:"connect" help:"Room to join."`
	Name string `group:"connect" help:"Name that the others see."`
}

// check refuses what the relay would refuse, as wrong usage.
func (f *roomFlags) check() error {
	if err := signaling.CheckRoom(f.Room); err != nil {
		return usagef("--room: %w", err)
	}
	if err := signaling.CheckName(f.Name); err != nil {
		return usagef("--name: %w", err)
	}
	return nil
}

// options is how the Go client joins.
func (f *roomFlags) options(con *console) client.Options {
	return client.Options{URL: f.URL, Room: f.Room, Name: f.Name, Token: f.Token, Agent: "landline-cli/" + readBuild().Version,
		Logger: con.log}
}
