package rtc

import (
	"regexp"
	"strings"

	"github.com/pion/webrtc/v4"
)

var opusMap = regexp.MustCompile(`(?im)^a=rtpmap:(\d+) opus/48000/2\r?\n`)

// askable adds NACK for Opus to an offer without it, and so to the answer. Browsers offer it for pictures alone, but where an answer has it
// they ask for what they miss of sound, and answer such requests.
func askable(sdp string) string {
	sections := strings.SplitAfter(sdp, "\nm=")
	for i, s := range sections {
		sections[i] = opusMap.ReplaceAllStringFunc(s, func(line string) string {
			fb := "a=rtcp-fb:" + opusMap.FindStringSubmatch(line)[1] + " nack"
			if strings.Contains(s, "\n"+fb+"\r") || strings.Contains(s, "\n"+fb+"\n") {
				return line
			}
			return line + fb + "\r\n"
		})
	}
	return strings.Join(sections, "")
}

// answersNACK reports whether a codec was negotiated with it.
func answersNACK(list []webrtc.RTCPFeedback) bool {
	for _, f := range list {
		if f.Type == "nack" && f.Parameter == "" {
			return true
		}
	}
	return false
}
