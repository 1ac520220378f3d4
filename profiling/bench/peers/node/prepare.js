// Writes a graph that is optimized for this machine, its weights mapped from a file:
//
//   node prepare.js model.onnx out/model.onnx
const ort = require('onnxruntime-node');

const [source, target] = process.argv.slice(2);
ort.InferenceSession.create(source, {
  intraOpNumThreads: 1,
  graphOptimizationLevel: 'extended',
  optimizedModelFilePath: target,
  logSeverityLevel: 3,
  extra: {
    session: {
      optimized_model_external_initializers_file_name: 'weights.bin',
      optimized_model_external_initializers_min_size_in_bytes: '1024',
    },
  },
});
