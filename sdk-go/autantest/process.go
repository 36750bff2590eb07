package autantest

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// process is a running command.
type process struct {
	command *exec.Cmd
	done    chan struct{} // closed when the command has ended
	err     error         // how it ended; read it only after that
}

// startProcess starts a command that dies with this process where the system can see to that.
func startProcess(command *exec.Cmd) (*process, error) {
	p := &process{command: command, done: make(chan struct{})}
	bindToParent(command)
	started := make(chan error)
	go func() {
		// Linux ties the child to the thread that started it, so the thread must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) kill() { _ = p.command.Process.Kill() } // fails only if it has ended

func (p *process) interrupt() error {
	if err := p.command.Process.Signal(os.Interrupt); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// state says how an ended process ended.
func (p *process) state() string {
	if p.err != nil {
		return p.err.Error()
	}
	return "success"
}
