package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"landline/signaling/rtc"
)

// sockets opens the TCP port, and unless --rtc=off the UDP port of the same number.
func (c *serveCmd) sockets(ctx context.Context, addr *net.TCPAddr) (net.Listener, *net.UDPConn, error) {
	const tries = 20 // of a free port, whose number UDP may not have free
	for i := 0; ; i++ {
		ln, err := listen(ctx, addr)
		if err != nil || c.RTC == "off" {
			return ln, nil, err
		}
		at := ln.Addr().(*net.TCPAddr)
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
		if err == nil {
			return ln, udp, nil
		}
		err = errors.Join(fmt.Errorf("WebRTC wants the UDP port of the same number (--rtc=off does without): %w", err), ln.Close())
		if addr.Port != 0 || i == tries {
			return nil, nil, err
		}
	}
}

// webRTC makes the WebRTC side on its sockets; nil without one of UDP.
func (c *serveCmd) webRTC(con *console, udp *net.UDPConn, tcp net.Listener) (*rtc.Port, error) {
	if udp == nil {
		return nil, nil
	}
	return rtc.NewPort(rtc.Config{Conn: udp, TCP: tcp, Addresses: c.RTCAddr, Logger: con.log, Faults: c.DebugFaults})
}

// announceRTC says where WebRTC is reached.
func (c *serveCmd) announceRTC(con *console, addr *net.TCPAddr) {
	list := c.RTCAddr
	switch {
	case len(list) > 0:
	case addr.IP.IsUnspecified():
		for _, ip := range interfaceAddrs() {
			if !ip.IsLoopback() {
				list = append(list, ip.String())
			}
		}
	default:
		list = []string{addr.IP.String()}
	}
	con.log.Info("WebRTC", "port", addr.Port, "tcp", canPeek, "addresses", strings.Join(list, " "))
	reachable := func(host string) bool {
		ip := net.ParseIP(host)
		return ip != nil && !ip.IsLoopback() && !ip.IsPrivate()
	}
	if public(addr) && !slices.ContainsFunc(list, reachable) {
		con.log.Warn("WebRTC is reached from this network alone: --rtc-addr announces a public address", "udp", addr.Port)
	}
}

// checkRTC refuses addresses that nobody could use.
func (c *serveCmd) checkRTC() error {
	for _, a := range c.RTCAddr {
		if net.ParseIP(a) == nil {
			return usagef("--rtc-addr %q is no IP address", a)
		}
	}
	if c.RTC == "off" && len(c.RTCAddr) > 0 {
		return usagef("--rtc-addr and --rtc=off exclude each other")
	}
	return nil
}
