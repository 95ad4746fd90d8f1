package main

import (
	"encoding/json"
	"fmt"
	"time"

	"landline/signaling/token"
)

type tokenCmd struct {
	Room     string        `required:"" help:"Room that the token is for; * for every room."`
	Identity string        `required:"" help:"Id of the member, the same each time the member comes."`
	Name     string        `help:"Name that the others see; without it the member chooses."`
	Grant    []token.Grant `default:"publish,subscribe,data" help:"What the member may do: publish, subscribe, data (chat), admin."`
	TTL      time.Duration `name:"ttl" default:"1h" help:"How long the token is valid."`
	Key      []string      `env:"LANDLINE_KEYS" placeholder:"ID:SECRET" help:"Key of the relay; of several the first signs. Better given by environment, which other users cannot see."`
	JSON     bool          `help:"Write a JSON object."`
}

// Help is the longer text of --help.
func (c *tokenCmd) Help() string {
	return `Examples:

    LANDLINE_KEYS=main:$SECRET landline token --room kitchen --identity ann --name Ann
    LANDLINE_KEYS=main:$SECRET landline token --room '*' --identity ops --grant admin --ttl 24h`
}

// Run implements the command.
func (c *tokenCmd) Run(con *console) error {
	keys, err := token.ParseKeys(c.Key)
	switch {
	case err != nil:
		return usagef("--key: %w", err)
	case keys.Empty():
		return usagef("a key is needed to sign with: --key id:secret, or LANDLINE_KEYS in the environment")
	case c.TTL <= 0:
		return usagef("--ttl: %v is no time to be valid", c.TTL)
	}
	now := time.Now()
	claims := token.Claims{Room: c.Room, Identity: c.Identity, Name: c.Name, Grants: c.Grant,
		IssuedAt: now, Expires: now.Add(c.TTL)}
	signed, err := keys.Mint(claims)
	if err != nil {
		return usageError{err}
	}
	if !c.JSON {
		_, err = fmt.Fprintln(con.out, signed)
		return err
	}
	return json.NewEncoder(con.out).Encode(struct {
		Token    string        `json:"token"`
		Room     string        `json:"room"`
		Identity string        `json:"identity"`
		Name     string        `json:"name,omitempty"`
		Grants   []token.Grant `json:"grants"`
		Expires  time.Time     `json:"expires"`
	}{signed, c.Room, c.Identity, c.Name, c.Grant, claims.Expires.UTC().Truncate(time.Second)})
}
