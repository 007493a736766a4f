package main

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// The Secrets that the operator makes; docs/kubernetes.md says how.
var secrets = map[string]bool{"grantd": true, "grantd-tls": true}

// references finds selectors that select nothing, and volumes and ports that are not there.
func references(objects []runtime.Object) (faults []error) {
	var servers, all []labels.Set
	known := map[string]bool{}
	for _, object := range objects {
		kind, _, name := name(object)
		known[kind+" "+name] = true
		if template := pods(object); template != nil {
			all = append(all, template.Labels)
			if kind == "Deployment" {
				servers = append(servers, template.Labels)
			}
		}
	}
	for _, object := range objects {
		kind, _, name := name(object)
		fault := func(form string, values ...any) {
			faults = append(faults, fmt.Errorf("%s %s: %s", kind, name, fmt.Sprintf(form, values...)))
		}
		switch object := object.(type) {
		case *corev1.Service:
			if !selectsOnly(labels.SelectorFromSet(object.Spec.Selector), servers, all) {
				fault("does not select the replicas alone")
			}
			for _, port := range object.Spec.Ports {
				if !hasPort(objects, port.TargetPort.StrVal) {
					fault("no container has the port %q", port.TargetPort.StrVal)
				}
			}
		case *policyv1.PodDisruptionBudget:
			if !selectsOnly(selector(object.Spec.Selector), servers, all) {
				fault("does not select the replicas alone")
			}
		case *networkingv1.NetworkPolicy:
			if !selectsOnly(selector(&object.Spec.PodSelector), all, all) {
				fault("does not select every pod")
			}
			for _, rule := range object.Spec.Ingress {
				for _, port := range rule.Ports {
					if !hasPort(objects, port.Port.StrVal) {
						fault("no container has the port %q", port.Port.StrVal)
					}
				}
			}
		}
		if template := pods(object); template != nil {
			if !known["ServiceAccount "+template.Spec.ServiceAccountName] {
				fault("no ServiceAccount %q", template.Spec.ServiceAccountName)
			}
			for _, volume := range template.Spec.Volumes {
				if of := volume.ConfigMap; of != nil && !known["ConfigMap "+of.Name] {
					fault("no ConfigMap %q", of.Name)
				}
				if of := volume.Secret; of != nil && !secrets[of.SecretName] {
					fault("no Secret %q", of.SecretName)
				}
				if of := volume.Secret; of != nil && *of.DefaultMode != 0o400 {
					fault("Secret %q has the mode %o", of.SecretName, *of.DefaultMode)
				}
			}
		}
	}
	return faults
}

func selector(of *metav1.LabelSelector) labels.Selector {
	selector, err := metav1.LabelSelectorAsSelector(of)
	if err != nil {
		panic(err)
	}
	return selector
}

// selectsOnly says whether `selector` selects each of `wanted` and nothing else of `all`.
func selectsOnly(selector labels.Selector, wanted, all []labels.Set) bool {
	count := 0
	for _, set := range all {
		if selector.Matches(set) {
			count++
		}
	}
	for _, set := range wanted {
		if !selector.Matches(set) {
			return false
		}
	}
	return len(wanted) > 0 && count == len(wanted)
}

func hasPort(objects []runtime.Object, name string) bool {
	for _, object := range objects {
		deployment, is := object.(*appsv1.Deployment)
		if !is {
			continue
		}
		for _, container := range deployment.Spec.Template.Spec.Containers {
			for _, port := range container.Ports {
				if port.Name == name {
					return true
				}
			}
		}
	}
	return false
}
