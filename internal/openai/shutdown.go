package openai

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Bounds of looking up a model.
const (
	modelsTime = 5 * time.Second
	maxModels  = 4 << 20 // bytes
)

// ShutdownDate returns the day on which OpenAI shuts down c's model, as its list
// of models says. It is the zero time where none is announced, or the model is
// not in the list.
func ShutdownDate(ctx context.Context, c Config) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, modelsTime)
	defer cancel()
	base := strings.TrimSuffix(cmp.Or(c.BaseURL, "https://api.openai.com/v1"), "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/models", nil)
	if err != nil {
		return time.Time{}, err
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + c.Key, "OpenAI-Organization": c.Organization, "OpenAI-Project": c.Project} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	// Not by openai-go, whose root package would bring all other services too.
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return time.Time{}, fmt.Errorf("list models: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return time.Time{}, fmt.Errorf("list models: %s", resp.Status)
	}
	var list struct {
		Data []struct {
			ID           string
			ShutdownDate string `json:"shutdown_date"`
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxModels)).Decode(&list); err != nil {
		return time.Time{}, fmt.Errorf("list models: %w", err)
	}
	for _, model := range list.Data {
		if model.ID == cmp.Or(c.Model, DefaultModel) && model.ShutdownDate != "" {
			day, err := time.Parse(time.DateOnly, model.ShutdownDate)
			if err != nil {
				return time.Time{}, fmt.Errorf("list models: shutdown date of %q: %w", model.ID, err)
			}
			return day, nil
		}
	}
	return time.Time{}, nil
}
