package prices

import (
	"fmt"
	"os"
	"testing"
	"time"

	"grantd.example/grantdtest"
)

// TestHold uses the kit until it is killed.
func TestHold(t *testing.T) {
	if os.Getenv("HOLD") == "" {
		t.Skip("for tests/e2e/kits/run alone")
	}
	fmt.Println("control", grantdtest.Shared(t).Control)
	time.Sleep(10 * time.Minute)
}
