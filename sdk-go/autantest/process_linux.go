package autantest

import (
	"os/exec"
	"syscall"
)

// bindToParent has the system kill the server if the test binary dies without cleaning up.
func bindToParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
