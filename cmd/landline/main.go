// Command landline is the call relay, its headless clients and its tools in one binary. This package is
// the only code that knows every other; main is thin, and run is what tests call.
//
// Exit codes: 0 success, 1 failure with a one-line reason on stderr, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	os.Exit(report(os.Stderr, run(untilSignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// untilSignal returns a context that ends with SIGINT or SIGTERM, which asks the command to end. A second
// signal then kills the process, as by default.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan os.Signal, 1)
	signal.Notify(first, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-first
		signal.Stop(first)
		cancel()
	}()
	return ctx
}

// cli is the whole command line. A command is a field whose type has the method
// Run(context.Context, *console) error.
type cli struct {
	Config   string `placeholder:"FILE" help:"Read flags from a JSON file: an object of flag names without dashes. Flags and environment win over it."`
	LogLevel string `enum:"debug,info,warn,error" default:"info" help:"Least level that is logged: debug, info, warn or error."`

	Serve      serveCmd      `cmd:"" group:"server" help:"Run the relay and its web app."`
	Stream     streamCmd     `cmd:"" group:"client" help:"Stream a file into a room in real time."`
	Watch      watchCmd      `cmd:"" group:"client" help:"Save what a member sends to a file, or watch a recording alone."`
	Send       sendCmd       `cmd:"" group:"client" help:"Send a file to members of a room."`
	Receive    receiveCmd    `cmd:"" group:"client" help:"Save the files that members of a room send."`
	Pub        pubCmd        `cmd:"" group:"client" help:"Publish values on a topic of a room."`
	Sub        subCmd        `cmd:"" group:"client" help:"Show the values of a topic, as they come."`
	Record     recordCmd     `cmd:"" group:"client" help:"Have the relay record a room."`
	Recordings recordingsCmd `cmd:"" group:"client" help:"List, download and delete recordings of a relay."`
	Play       playCmd       `cmd:"" group:"client" help:"Have the relay play a recording into a room."`
	Rooms      roomsCmd      `cmd:"" group:"client" help:"Show who is there, what they send, over what, and how late."`
	Doctor     doctorCmd     `cmd:"" group:"tools" help:"Look at what a call from this machine to a relay would meet."`
	Bench      benchCmd      `cmd:"" group:"tools" help:"Load a relay and measure how it does."`
	Token      tokenCmd      `cmd:"" group:"tools" help:"Mint a token that lets its holder into a room."`
	Version    versionCmd    `cmd:"" group:"tools" help:"Say which build this is."`

	BenchWorker benchWorkerCmd `cmd:"" hidden:"" help:"Be the members of a bench, which starts this by itself."`
	BenchFloor  benchFloorCmd  `cmd:"" hidden:"" help:"Be the floor of a bench, which starts this by itself."`
}

// console is what a command has to do with the outside: standard streams and the log, which goes to err.
type console struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
}

// usageError is wrong usage: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run parses the arguments and runs the command they name, until it is done or ctx ends.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var app cli
	var helped bool
	parser, err := newParser(&app, stdout, stderr, func(int) { helped = true })
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if helped {
		return nil
	}
	if err != nil {
		return usageError{err}
	}
	if isTerminal(stderr) {
		stderr = &screen{w: stderr}
	}
	con := &console{in: stdin, out: stdout, err: stderr, log: newLogger(stderr, app.LogLevel)}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(con)
}

// newParser makes the parser of app. Kong calls exit after it has printed help.
func newParser(app *cli, stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(app,
		kong.Name("landline"),
		kong.Description("A call relay: voice, video, screens, recorded media and chat over one WebSocket."),
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.DefaultEnvars("LANDLINE"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 110}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "server", Title: "Server:"},
			{Key: "client", Title: "Clients:"},
			{Key: "tools", Title: "Tools:"},
			{Key: "listen", Title: "Listening:"},
			{Key: "access", Title: "Who may join:"},
			{Key: "tls", Title: "TLS:"},
			{Key: "rtc", Title: "WebRTC:"},
			{Key: "record", Title: "Recording:"},
			{Key: "connect", Title: "Connection:"},
			{Key: "load", Title: "Load:"},
		}),
	)
}

// report writes the reason of a failure as one line and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	reason := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(stderr, "landline: %s (landline --help tells more)\n", reason)
		return 2
	}
	fmt.Fprintf(stderr, "landline: %s\n", reason)
	return 1
}
