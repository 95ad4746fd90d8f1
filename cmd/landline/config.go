package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kong"
)

// BeforeResolve reads the file of --config, once flags and environment are known.
func (c *cli) BeforeResolve(ctx *kong.Context) error {
	for _, flag := range ctx.Model.Flags {
		if flag.Name != "config" {
			continue
		}
		path, _ := ctx.FlagValue(flag).(string)
		if path == "" {
			return nil
		}
		file, err := readConfig(path)
		if err != nil {
			return err
		}
		ctx.AddResolver(file)
	}
	return nil
}

// configFile gives flags the values that a JSON file holds under their names. It implements kong.Resolver.
type configFile struct {
	path   string
	values map[string]any
}

func readConfig(path string) (*configFile, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	file := &configFile{path: path}
	if err := json.Unmarshal(b, &file.values); err != nil {
		return nil, fmt.Errorf("--config: %s is not a JSON object of flags: %w", path, err)
	}
	return file, nil
}

// Validate refuses names that no command knows, which are misspelled ones.
func (f *configFile) Validate(app *kong.Application) error {
	known := flagNames(app.Node)
	for name := range f.values {
		if !slices.Contains(known, name) || name == "config" {
			return fmt.Errorf("--config: %s: no flag is called %q", f.path, name)
		}
	}
	return nil
}

// Resolve implements kong.Resolver. The environment wins over the file.
func (f *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return nil, nil
		}
	}
	return f.values[flag.Name], nil
}

func flagNames(node *kong.Node) []string {
	var names []string
	for _, flag := range node.Flags {
		names = append(names, flag.Name)
	}
	for _, child := range node.Children {
		names = append(names, flagNames(child)...)
	}
	return names
}
