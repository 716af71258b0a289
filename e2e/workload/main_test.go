package main

import (
	"fmt"
	"net"
	"testing"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{"4096": 4096, "8KiB": 8192, "64MiB": 64 << 20, "1GiB": 1 << 30} {
		if got, err := bytes(text); got != want || err != nil {
			t.Errorf("bytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "0", "2GiB", "1025MiB", "9223372036854775807GiB", "64MB"} {
		if got, err := bytes(text); err == nil {
			t.Errorf("bytes(%q) = %d, want an error", text, got)
		}
	}
}

func TestCountsAreBounded(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "1001"} {
		if got, err := number(text); err == nil {
			t.Errorf("number(%q) = %d, want an error", text, got)
		}
	}
}

func TestUnknownVerbIsRefused(t *testing.T) {
	if _, err := run("mine", nil); err == nil {
		t.Error("an unknown verb is no error")
	}
}

func TestWhatServesIsReached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := reach("127.0.0.1:" + port); err == nil {
		t.Error("what does not serve is reached")
	}
	if err := serve(port); err != nil {
		t.Fatal(err)
	}
	if err := reach("127.0.0.1:" + port); err != nil {
		t.Error(err)
	}
}
