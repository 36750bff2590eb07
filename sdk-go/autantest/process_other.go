//go:build !linux

package autantest

import "os/exec"

// bindToParent does nothing: the system has no such thing.
func bindToParent(*exec.Cmd) {}
