{{- define "fraiseqld.labels" -}}
app.kubernetes.io/name: fraiseqld
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "fraiseqld.selector" -}}
matchLabels:
  app.kubernetes.io/name: fraiseqld
  app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
