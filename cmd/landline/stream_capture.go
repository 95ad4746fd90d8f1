package main

import (
	"fmt"
	"slices"
	"strings"
)

// capture is something that ffmpeg opens other than a file: a camera, a screen, a microphone, or a picture that it makes.
type capture struct{ kind, name string }

// captureKinds are the input devices of ffmpeg that have picture or sound.
var captureKinds = []string{"alsa", "avfoundation", "decklink", "dshow", "fbdev", "gdigrab", "jack", "kmsgrab", "lavfi", "openal", "oss", "pulse", "sndio", "v4l2", "x11grab"}

// maxCaptures is one for the picture, one for the sound.
const maxCaptures = 2

// parseCaptures reads --device, KIND:NAME each.
func parseCaptures(devices []string) (list []capture, err error) {
	for _, d := range devices {
		kind, name, _ := strings.Cut(d, ":")
		if name == "" || !slices.Contains(captureKinds, kind) {
			return nil, usagef("--device %s: want KIND:NAME, such as v4l2:/dev/video0, x11grab::0.0 or pulse:default; kinds are %s", d, strings.Join(captureKinds, ", "))
		}
		list = append(list, capture{kind, name})
	}
	if len(list) > maxCaptures {
		return nil, usagef("--device: one for the picture, then one for the sound")
	}
	return list, nil
}

// testPattern is a moving picture with the time and the number of each frame in it, and a white field and a beep of 80 ms
// at each full second.
var testPattern = capture{"lavfi", "testsrc2=size=1280x720:rate=30,drawbox=x=iw-240:y=ih-240:w=200:h=200:color=white:t=fill:enable='lt(mod(t,1),0.08)'[out0];" +
	"aevalsrc=exprs='if(lt(mod(t,1),0.08),0.4*sin(2*PI*1000*t),0)':sample_rate=48000[out1]"}

// captureName is how a person knows what is captured.
func captureName(list []capture) string {
	if list[0] == testPattern {
		return "the test pattern"
	}
	var names []string
	for _, c := range list {
		names = append(names, c.name)
	}
	return strings.Join(names, " and ")
}

// captureArguments are ffmpeg's for the inputs.
func captureArguments(list []capture) (args []string) {
	for _, c := range list {
		// What is live is read little of to find its tracks, and waits while the other device opens.
		args = append(args, "-thread_queue_size", "512", "-f", c.kind, "-i", c.name)
	}
	return args
}

// soundInput is which input of ffmpeg has the sound.
func (s transcodeSpec) soundInput() string { return fmt.Sprintf("%d:a:0", max(0, len(s.captures)-1)) }
