// Teaches @uppy/aws-s3 to upload to biblio. This file is yours to copy; docs/how-to/upload-with-uppy.md explains it.
//
// Uppy 5 takes the functions one by one. Uppy 6 has `signRequest` in their place, which asks for the same five things.

const MIB = 1024 ** 2;

/**
 * `call(method, path, body)` passes a call on to biblio and resolves to the answer's JSON, or rejects.
 * `threshold` in bytes is the server's BIBLIO_MULTIPART_THRESHOLD: larger files go in parts.
 */
export function uploadToBiblio(uppy, AwsS3, call, threshold = 100 * MIB) {
  const isLarge = (file) => file.size > threshold;
  const partSize = ({ size }) => Math.max(8, Math.ceil(size / MIB / 10_000)) * MIB;

  async function announce(file) {
    const { video_id, upload } = await call('POST', '/api/videos', { file_name: file.name, file_size: file.size });
    // Uppy cuts the file before it asks, so both sides have to know how.
    if (upload.part_size !== (isLarge(file) ? partSize(file) : undefined)) {
      throw new Error('The server cuts files in another way: is `threshold` its BIBLIO_MULTIPART_THRESHOLD?');
    }
    uppy.setFileMeta(file.id, { video_id });
    return video_id;
  }

  const functions = {
    shouldUseMultipart: isLarge,
    getChunkSize: partSize,

    async getUploadParameters(file) {
      const id = file.meta.video_id ?? (await announce(file));
      // Asked for each time, as on a second try the first address may have expired.
      return (await call('GET', `/api/videos/${id}`)).upload;
    },

    async createMultipartUpload(file) {
      return { uploadId: await announce(file), key: file.id };
    },

    async signPart(file, { uploadId, partNumber }) {
      const { parts } = await call('POST', `/api/videos/${uploadId}/upload/parts`, { numbers: [partNumber] });
      return parts[0];
    },

    async listParts(file, { uploadId }) {
      try {
        const { parts } = await call('GET', `/api/videos/${uploadId}/upload/parts`);
        return parts.map((part) => ({ PartNumber: part.number, Size: part.size, ETag: part.etag }));
      } catch (error) {
        if (!String(error).includes('ALREADY_UPLOADED')) throw error;
        return allParts(file, partSize(file)); // biblio went on by itself after the last byte: there is nothing to send
      }
    },

    async completeMultipartUpload(file, { uploadId }) {
      const { check_status_url } = await call('POST', `/api/videos/${uploadId}/upload-complete`);
      return { location: check_status_url };
    },

    async abortMultipartUpload(file, { uploadId, key }) {
      // Uppy 5 aborts what failed, too. What its user did not take away is kept for "retry", which lists its parts.
      if (uppy.getFile(key)) uppy.setFileState(key, { s3Multipart: { uploadId, key } });
      else await call('DELETE', `/api/videos/${uploadId}/upload`);
    },
  };

  uppy.use(AwsS3, { ...functions, generateObjectKey: (file) => file.id, signRequest: signer(uppy, functions) });

  // Of a single PUT, Uppy has nothing to complete.
  uppy.addPostProcessor(async (ids) => {
    const small = ids.map((id) => uppy.getFile(id)).filter((file) => file?.progress.uploadComplete && !isLarge(file));
    for (const file of small) {
      await call('POST', `/api/videos/${file.meta.video_id}/upload-complete`)
        .catch((error) => uppy.emit('upload-error', file, error));
    }
  });
}

function allParts({ size }, partSize) {
  return Array.from({ length: Math.ceil(size / partSize) }, (_, index) => (
    { PartNumber: index + 1, Size: Math.min(partSize, size - index * partSize), ETag: '"there"' }
  ));
}

// Uppy 6 sends each of its requests to the address that it gets here, and reads storage's XML. A part and a file really
// go to storage. The rest is done when we answer, so the address is a data: URL that holds the XML.
function signer(uppy, functions) {
  return async ({ method, key, uploadId, partNumber }) => {
    const file = uppy.getFile(key);
    if (partNumber) return functions.signPart(file, { uploadId, partNumber });
    if (method === 'PUT') return functions.getUploadParameters(file);
    if (method === 'GET') return answered('ListPartsResult', { Part: await functions.listParts(file, { uploadId }) });
    if (method === 'DELETE') {
      await functions.abortMultipartUpload(file, { uploadId, key });
      return answered('Aborted', {});
    }
    if (!uploadId) {
      const begun = await functions.createMultipartUpload(file);
      return answered('InitiateMultipartUploadResult', { UploadId: begun.uploadId });
    }
    const { location } = await functions.completeMultipartUpload(file, { uploadId });
    return answered('CompleteMultipartUploadResult', { Location: location, Key: key });
  };
}

function answered(name, content) {
  return { url: `data:application/xml,${encodeURIComponent(xml(name, content))}` };
}

function xml(name, content) {
  if (Array.isArray(content)) return content.map((each) => xml(name, each)).join('');
  const inside = content instanceof Object ? Object.entries(content).map(([child, each]) => xml(child, each)).join('')
    : String(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  return `<${name}>${inside}</${name}>`;
}
