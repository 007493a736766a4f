package main

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// What the API server does before it creates an object of a kind.
var strategies = map[string]rest.RESTCreateStrategy{
	"ConfigMap":           configmap.Strategy,
	"Deployment":          deployment.Strategy,
	"Job":                 job.Strategy,
	"Namespace":           namespace.Strategy,
	"NetworkPolicy":       networkpolicy.Strategy,
	"PodDisruptionBudget": poddisruptionbudget.Strategy,
	"Service":             service.Strategy,
	"ServiceAccount":      serviceaccount.Strategy,
}

// warnings are faults here: of a deprecated field, of an address that is written oddly.
type warnings []error

func (w *warnings) AddWarning(_, text string) {
	*w = append(*w, errors.New(text))
}

// name is kind and name of an object, with its namespace.
func name(object runtime.Object) (kind, namespace, name string) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	return object.GetObjectKind().GroupVersionKind().Kind, accessor.GetNamespace(), accessor.GetName()
}

func admit(object runtime.Object) error {
	kind, namespace, name := name(object)
	strategy, known := strategies[kind]
	if !known {
		return fmt.Errorf("%s %s: nothing checks objects of this kind", kind, name)
	}
	version := object.GetObjectKind().GroupVersionKind().GroupVersion()
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, schema.GroupVersion{
		Group: version.Group, Version: runtime.APIVersionInternal,
	})
	if err != nil {
		return err
	}
	// The storage of Services does this before the checks.
	if service, is := internal.(*core.Service); is && service.Spec.ClusterIP == core.ClusterIPNone {
		service.Spec.ClusterIPs = []string{core.ClusterIPNone}
	}
	var told warnings
	ctx := genericapirequest.WithNamespace(context.Background(), namespace)
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		APIGroup: version.Group, APIVersion: version.Version,
	})
	ctx = warning.WithWarningRecorder(ctx, &told)
	accessor, err := meta.Accessor(internal)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(accessor)
	if err := rest.BeforeCreate(strategy, ctx, internal); err != nil {
		told = append(told, err)
	}
	if len(told) > 0 {
		return fmt.Errorf("%s %s: %w", kind, name, errors.Join(told...))
	}
	return nil
}

// pods gives the template of an object that makes pods.
func pods(object runtime.Object) *corev1.PodTemplateSpec {
	switch object := object.(type) {
	case *appsv1.Deployment:
		return &object.Spec.Template
	case *batchv1.Job:
		return &object.Spec.Template
	default:
		return nil
	}
}

// restricted says what the namespace's Pod Security would refuse.
func restricted(object runtime.Object) error {
	template := pods(object)
	if template == nil {
		return nil
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
	if !result.Allowed {
		kind, _, name := name(object)
		return fmt.Errorf("%s %s: Pod Security: %s", kind, name, result.ForbiddenDetail())
	}
	return nil
}
