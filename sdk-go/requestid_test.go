package autan

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRequestIDsBeginWithTheTime(t *testing.T) {
	before := time.Now().UnixMilli()
	id := newRequestID()
	after := time.Now().UnixMilli()
	digits := strings.ReplaceAll(id, "-", "")
	bytes, err := hex.DecodeString(digits)
	if err != nil || len(bytes) != 16 || bytes[6]>>4 != 7 || bytes[8]>>6 != 2 {
		t.Fatalf("%q is no UUID of version 7", id)
	}
	if made, _ := strconv.ParseInt(digits[:12], 16, 64); made < before || made > after {
		t.Errorf("%q was made at %d, not from %d to %d", id, made, before, after)
	}
	if other := newRequestID(); other == id {
		t.Errorf("%q came twice", id)
	}
}
