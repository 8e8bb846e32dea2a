package tunnel

import (
	"context"
	"time"
)

// backoff gives growing pauses: 250 ms, twice as long each time, but never
// longer than most. The zero value is ready to use.
type backoff struct{ tries int }

func (b *backoff) next(most time.Duration) time.Duration {
	pause := min(250*time.Millisecond<<min(b.tries, 10), most)
	b.tries++
	return pause
}

// sleep waits for d, or returns the reason why ctx ended before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
