package token

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestParseKeysRefuses(t *testing.T) {
	for what, specs := range map[string][]string{
		"no colon":     {"hunter2hunter2hunter2"},
		"short secret": {"k:hunter2hunter2"},
		"empty id":     {":hunter2hunter2hunter2"},
		"id of a path": {"../k:hunter2hunter2hunter2"},
		"long id":      {strings.Repeat("k", 65) + ":hunter2hunter2hunter2"},
		"twice":        {"k:hunter2hunter2hunter2", "k:hunter2hunter2hunter3"},
		"empty":        {""},
	} {
		k, err := ParseKeys(specs)
		if err == nil {
			t.Errorf("%s: accepted as %v", what, k)
			continue
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: the reason shows the secret: %v", what, err)
		}
	}
}

func TestSecretMayHoldColons(t *testing.T) {
	k := keys(t, "k:0123:4567:89ab:cdef")
	signed, err := k.Mint(ann())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Verify(signed, "kitchen", now); err != nil {
		t.Fatal(err)
	}
}

func TestKeysShowNoSecret(t *testing.T) {
	k := keys(t, "main:hunter2hunter2hunter2")
	config := struct {
		Keys   Keys
		hidden Keys
	}{k, k}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("config", "keys", k, "config", config)
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "keys", k, "config", config)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb, k, config)
	}
	for _, secret := range []string{"hunter", fmt.Sprintf("%x", "hunter"), fmt.Sprint([]byte("hunter"))[1:20]} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output shows %q: %s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "main") {
		t.Errorf("the output does not name the key: %s", out.String())
	}
}
