package grantdtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// startProcess starts a `grantd dev` that ends when the pipe closes, so with this process, even if that is killed. It
// gives the URL of its control listener.
func startProcess(more []string) (io.Closer, string, error) {
	binary := cmp.Or(os.Getenv("GRANTD_BIN"), "grantd")
	folder, err := os.MkdirTemp("", "grantd-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(folder)
	ready := filepath.Join(folder, "ready.json")
	options := []string{"dev", "--listen", "127.0.0.1:0", "--ready-file", ready, "--until-stdin-closes"}
	command := exec.Command(binary, append(options, more...)...)
	command.Env = append([]string{"GRANTD_LOG=warn"}, os.Environ()...)
	command.Stderr = os.Stderr
	pipe, err := command.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("there is no grantd on the PATH, and GRANTD_BIN names none: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		if text, err := os.ReadFile(ready); err == nil {
			found := struct{ Control string }{}
			err = json.Unmarshal(text, &found)
			return pipe, found.Control, err
		}
		select {
		case err := <-ended:
			return nil, "", fmt.Errorf("grantd does not start, it says why on standard error: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// call asks the path below /_test. A body that is not nil is sent as JSON; an answer is read into what `into` points to.
func (g *Grantd) call(method, path string, body, into any) error {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, g.Control+"/_test"+path, &sent)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return send(request, into)
}

func send(request *http.Request, into any) error {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("grantd answers %s to %s: %s", answer.Status, request.URL, text)
	}
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, into)
}
