// Errors by their code: why, and what to do. What is not here is told in the server's own words.
import type { Language } from './words';

const EN: Record<string, string> = {
  UNREACHABLE: 'The server cannot be reached. Check the connection; the page tries again.',
  KEY_UNKNOWN: 'This key is not known here. Check that all of it was pasted.',
  KEY_MISSING: 'You are signed out. Sign in again.',
  RATE_LIMITED: 'Too many requests at once. Wait a moment, then try again.',
  INTERNAL: 'The server made a mistake. Try again; if it happens again, tell whoever runs it.',
  ENGINE_UNAVAILABLE: 'A part of the server does not answer. Try again in a minute; “biblio doctor” tells which one.',
  NO_AUDIO_TRACK: 'The video has no sound track, so there is nothing to make searchable. Add a version with sound.',
  UNREADABLE_MEDIA: 'The file cannot be read as video or sound: it is damaged, or something else. Open it in a player, export it anew, and upload that.',
  CHECKSUM_MISMATCH: 'The bytes that arrived are not those that were announced. Upload the file again.',
  OBJECT_CHANGED: 'The file in storage is another one now. Upload it again.',
  TOO_LONG: 'The video is longer than this server allows. Cut it, and upload the pieces.',
  MEDIA_TOO_COSTLY: 'Reading this file takes more than this server allows. Export it as an ordinary mp4, and upload that.',
  STALE_VECTORS: 'The server’s embedder was changed while this video was processed. Process it again.',
  WORKER_DIED: 'The work stopped several times without a reason. Process it again; if it happens again, the file may be too much for this server.',
  OUT_OF_MEMORY: 'The server ran out of memory. Try again with the fast model.',
  MODEL_NOT_FOUND: 'The chosen model is not on this server. Process again with another one.',
  UNKNOWN_MODEL: 'The chosen model is not on this server. Choose another one.',
  QUOTA_EXCEEDED: 'Your quota is used up. Delete something, or ask whoever runs the server.',
  FILE_TOO_LARGE: 'The file is larger than this server allows. Make it smaller or cut it.',
  TOO_MANY_UPLOADS: 'Too many uploads are open. End some, then try again.',
  EMPTY_FILE: 'The file is empty.',
  UNSUPPORTED_FORMAT: 'Files of this kind are not taken. Taken are mp4, mov, avi, mkv, webm, m4v, mp3, wav, m4a and flac.',
  UNSUPPORTED_TYPE: 'Files of this kind are not taken. Taken are mp4, mov, avi, mkv, webm, m4v, mp3, wav, m4a and flac.',
  SIZE_MISMATCH: 'Not all of the file has arrived, or more than it. Upload it again.',
  ALREADY_PROCESSING: 'The video is being processed already.',
  NOTHING_TO_CANCEL: 'There was nothing left to stop.',
  EMPTY_QUESTION: 'Say what to look for: a word that is left out (-word) finds nothing by itself.',
  QUESTION_TOO_LONG: 'The question is too long. Use at most 1000 characters.',
  NOTHING_SAID: 'Nothing is said at this moment.',
};

const KO: Record<string, string> = {
  UNREACHABLE: '서버에 연결할 수 없습니다. 연결을 확인해 주세요. 페이지가 다시 시도합니다.',
  KEY_UNKNOWN: '이 서버가 모르는 키입니다. 키 전체를 붙여 넣었는지 확인해 주세요.',
  KEY_MISSING: '로그아웃되었습니다. 다시 로그인해 주세요.',
  RATE_LIMITED: '요청이 한꺼번에 너무 많습니다. 잠시 뒤에 다시 시도해 주세요.',
  INTERNAL: '서버에 문제가 생겼습니다. 다시 시도해 보고, 계속되면 서버 관리자에게 알려 주세요.',
  ENGINE_UNAVAILABLE: '서버의 일부가 응답하지 않습니다. 1분쯤 뒤에 다시 시도해 주세요. “biblio doctor”로 어느 부분인지 알 수 있습니다.',
  NO_AUDIO_TRACK: '동영상에 소리가 없어 검색할 말이 없습니다. 소리가 있는 파일을 추가해 주세요.',
  UNREADABLE_MEDIA: '동영상이나 소리로 읽을 수 없는 파일입니다. 손상되었거나 다른 종류의 파일입니다. 재생기에서 열어 다시 내보낸 뒤 올려 주세요.',
  CHECKSUM_MISMATCH: '도착한 내용이 알려 온 파일과 다릅니다. 파일을 다시 올려 주세요.',
  OBJECT_CHANGED: '저장소의 파일이 다른 것으로 바뀌었습니다. 다시 올려 주세요.',
  TOO_LONG: '이 서버가 허용하는 길이보다 깁니다. 나누어 올려 주세요.',
  MEDIA_TOO_COSTLY: '이 파일을 읽는 일이 서버의 한도를 넘습니다. 일반 mp4로 내보내어 올려 주세요.',
  STALE_VECTORS: '처리하는 동안 서버의 의미 분석 엔진이 바뀌었습니다. 다시 처리해 주세요.',
  WORKER_DIED: '작업이 까닭 없이 여러 번 멈췄습니다. 다시 처리해 보세요. 또 멈추면 이 서버에는 벅찬 파일일 수 있습니다.',
  OUT_OF_MEMORY: '서버의 메모리가 모자랍니다. 빠른 모델로 다시 시도해 주세요.',
  MODEL_NOT_FOUND: '고른 모델이 이 서버에 없습니다. 다른 모델로 다시 처리해 주세요.',
  UNKNOWN_MODEL: '고른 모델이 이 서버에 없습니다. 다른 모델을 골라 주세요.',
  QUOTA_EXCEEDED: '사용 한도를 다 썼습니다. 동영상을 지우거나 서버 관리자에게 문의해 주세요.',
  FILE_TOO_LARGE: '이 서버가 허용하는 크기보다 큰 파일입니다. 줄이거나 나누어 주세요.',
  TOO_MANY_UPLOADS: '열려 있는 업로드가 너무 많습니다. 몇 개를 끝낸 뒤 다시 시도해 주세요.',
  EMPTY_FILE: '빈 파일입니다.',
  UNSUPPORTED_FORMAT: '받을 수 없는 종류의 파일입니다. mp4, mov, avi, mkv, webm, m4v, mp3, wav, m4a, flac 파일을 올려 주세요.',
  UNSUPPORTED_TYPE: '받을 수 없는 종류의 파일입니다. mp4, mov, avi, mkv, webm, m4v, mp3, wav, m4a, flac 파일을 올려 주세요.',
  SIZE_MISMATCH: '파일이 덜 왔거나 더 왔습니다. 다시 올려 주세요.',
  ALREADY_PROCESSING: '이미 처리하고 있는 동영상입니다.',
  NOTHING_TO_CANCEL: '중지할 작업이 없습니다.',
  EMPTY_QUESTION: '찾을 말을 넣어 주세요. 빼려는 말(-낱말)만으로는 찾을 수 없습니다.',
  QUESTION_TOO_LONG: '질문이 너무 깁니다. 1000자까지 쓸 수 있습니다.',
  NOTHING_SAID: '이 순간에는 아무 말도 하지 않습니다.',
};

const UNKNOWN = { en: 'Something went wrong. Try again.', ko: '문제가 생겼습니다. 다시 시도해 주세요.' };

export function explain(language: Language, code: string | undefined, message = ''): string {
  return (language === 'ko' ? KO : EN)[code ?? ''] ?? (message || UNKNOWN[language]);
}
