package define

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// parse reads YAML the way a server does, as JSON values.
func parse(t *testing.T, text string) any {
	t.Helper()
	var out any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return out
}

// checkRoundTrip renders a value where a task input stands, and wants it back from the parser.
func checkRoundTrip(t *testing.T, value any) {
	t.Helper()
	text, err := Workflow("w").Task("t", Action("a").Input("v", value)).Source()
	if err != nil {
		t.Fatal(err)
	}
	path := []string{"w", "tasks", "t", "input", "v"}
	got := parse(t, text)
	for _, key := range path {
		got = got.(map[string]any)[key]
	}
	if !reflect.DeepEqual(got, value) {
		t.Fatalf("got %#v, want %#v, by way of\n%s", got, value, text)
	}
}

func TestRoundTripOfRandomValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) // the same values each time
	for range 5000 {
		checkRoundTrip(t, randomValue(random, 3))
	}
}

var alphabet = []rune("ab :#-'\"\\\n\t\r<>%{}[]&*!|?,@`~.0é日😀\u0085\u2028\ufeff\u00a0\a=$/()_+xyn")

func randomText(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(8) {
		b.WriteRune(alphabet[random.IntN(len(alphabet))])
	}
	return b.String()
}

func randomValue(random *rand.Rand, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch random.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return random.IntN(2) == 0
	case 2:
		return random.Int() - random.Int()
	case 3:
		return randomText(random)
	case 4:
		list := make([]any, random.IntN(4))
		for i := range list {
			list[i] = randomValue(random, depth-1)
		}
		return list
	default:
		object := map[string]any{}
		for range random.IntN(4) {
			object[randomText(random)] = randomValue(random, depth-1)
		}
		return object
	}
}

// What stands in testdata must mean what was meant, whoever looks at it.
func TestValuesFileMeansItsValues(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(parse(t, string(text)).(map[string]any)["values"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"big":9223372036854775807`, `"bigger":18446744073709551615`, `"exact":9007199254740993`,
		`"huge":1e+21`, `"tiny":-2.5e-9`, `"nested":[[1,[]],{"a":[],"b":1},null]`,
		`"yes","No","ON","null","~","","1"`, `"a\nb","a\nb\n","a\n\nb\n\n","\na"`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}
