#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

#include "engine/metrics/exposition.h"

namespace memcoord::metrics {
namespace {

prometheus::MetricType type_of(FamilyType type) {
  switch (type) {
    case FamilyType::counter:
      return prometheus::MetricType::Counter;
    case FamilyType::histogram:
      return prometheus::MetricType::Histogram;
    case FamilyType::gauge:
    case FamilyType::info:
      break;
  }
  return prometheus::MetricType::Gauge;
}

prometheus::ClientMetric labelled(const std::vector<Label>& labels) {
  prometheus::ClientMetric metric;
  metric.label.reserve(labels.size());
  for (const Label& label : labels) {
    metric.label.push_back({std::string(label.name), label.value});
  }
  return metric;
}

prometheus::ClientMetric metric_of(const Sample& sample, FamilyType type) {
  prometheus::ClientMetric metric = labelled(sample.labels);
  (type == FamilyType::counter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

prometheus::ClientMetric metric_of(const HistogramSample& sample) {
  prometheus::ClientMetric metric = labelled(sample.labels);
  for (const HistogramSample::Bucket& bucket : sample.buckets) {
    metric.histogram.bucket.push_back({bucket.up_to_now, bucket.bound});
  }
  metric.histogram.bucket.push_back({sample.count, std::numeric_limits<double>::infinity()});
  metric.histogram.sample_count = sample.count;
  metric.histogram.sample_sum = sample.sum;
  return metric;
}

}  // namespace

void append_prometheus(std::string& text, const Family& family) {
  std::vector<prometheus::MetricFamily> families(1);
  prometheus::MetricFamily& made = families.front();
  made.name = family.name;
  made.help = family.help;
  made.type = type_of(family.type);
  made.metric.reserve(family.samples.size() + family.histograms.size());
  for (const Sample& sample : family.samples) {
    made.metric.push_back(metric_of(sample, family.type));
  }
  for (const HistogramSample& sample : family.histograms) made.metric.push_back(metric_of(sample));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  text += out.view();
}

}  // namespace memcoord::metrics
