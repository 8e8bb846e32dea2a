package tunnel

import "sync"

// stateQueue tells somebody of states in their order without making whoever
// changes them wait.
type stateQueue struct {
	tell func(State)

	mu     sync.Mutex
	wake   *sync.Cond
	queue  []State
	closed bool
}

func newStateQueue(tell func(State)) *stateQueue {
	q := &stateQueue{tell: tell}
	q.wake = sync.NewCond(&q.mu)
	if tell != nil {
		go q.run()
	}
	return q
}

func (q *stateQueue) push(s State) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.tell != nil && !q.closed {
		q.queue = append(q.queue, s)
		q.wake.Signal()
	}
}

// close lets what is queued be told, and no more.
func (q *stateQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake.Signal()
}

func (q *stateQueue) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.queue) == 0 && !q.closed {
			q.wake.Wait()
		}
		if len(q.queue) == 0 {
			return
		}
		next := q.queue[0]
		q.queue = q.queue[1:]
		q.mu.Unlock()
		q.tell(next)
		q.mu.Lock()
	}
}
