// Renders deploy/kubernetes as `kubectl apply -k` does, and judges each object by the code of the API server itself:
// strict decoding, defaults, the checks before an object is created, and Pod Security "restricted". Then it looks for
// names that lead nowhere.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	log.SetFlags(0)
	objects, err := render(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	faults := references(objects)
	for _, object := range objects {
		faults = append(faults, admit(object), restricted(object))
	}
	if err := errors.Join(faults...); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Kubernetes: %d objects are admitted\n", len(objects))
}

// render gives the objects in the versions of their files, with defaults.
func render(folder string) ([]runtime.Object, error) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, err
	}
	decoder := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, resource := range rendered.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", resource.GetKind(), resource.GetName(), err)
		}
		legacyscheme.Scheme.Default(object)
		objects = append(objects, object)
	}
	return objects, nil
}
