// 페이지의 한국어 문장. 이름은 en.ts와 하나씩 짝을 이룬다.
import type { Texts } from './en';

export const ko: Texts = {
  otherLanguage: 'English',
  library: '라이브러리', search: '검색', searchLabel: '모든 동영상의 말 검색', searchHint: '강의에서 한 말을 한국어나 영어로 검색',
  suggestions: '추천 검색어', clear: '지우기', close: '닫기', dismiss: '닫기', loading: '불러오는 중…', tryAgain: '다시 시도', skip: '본문으로 건너뛰기',
  menu: '메뉴', theme: '화면 모드', themeSystem: '시스템 설정', themeLight: '밝게', themeDark: '어둡게', language: '언어', signOut: '로그아웃', signedInAs: '{name} 계정',
  offline: '서버에 연결할 수 없습니다. 지금 보이는 내용은 최신이 아닐 수 있으며, 연결되면 저절로 이어집니다.', online: '다시 연결되었습니다.',
  broken: '이 페이지에 문제가 생겼습니다.', reload: '다시 불러오기',
  notFound: '이 주소에는 아무것도 없습니다', notFoundWhy: '동영상이 삭제되었거나 링크가 잘렸을 수 있습니다.', toLibrary: '라이브러리로',

  welcome: 'biblio에 오신 것을 환영합니다', signInWhy: '강의와 강연을, 그 안에서 한 말로 찾아보세요.',
  key: 'API 키', keyHint: '여기에 붙여 넣기', signIn: '로그인', signingIn: '로그인하는 중…',
  keyWhere: '“biblio link” 명령이 로그인 링크를 알려 줍니다. “biblio up”을 시작할 때도 나옵니다. 키는 이 서버를 운영하는 사람에게서 받을 수 있습니다.',
  linkUsed: '이미 사용했거나 오래된 로그인 링크입니다. “biblio link”로 새 링크를 받거나 키를 붙여 넣으세요.',

  addVideos: '동영상 추가', dropHere: '놓으면 라이브러리에 추가됩니다', dropFormats: 'mp4, mov, avi, mkv, webm, mp3, wav, m4a, flac',
  emptyLibrary: '아직 동영상이 없습니다', emptyLibraryWhy: '강의나 강연을 추가하면 말을 받아 적어 문장마다 검색할 수 있게 합니다. 이 페이지 아무 곳에나 파일을 끌어다 놓으세요.',
  noneMatch: '조건에 맞는 동영상이 없습니다', noneMatchWhy: '필터를 바꾸면 더 많이 볼 수 있습니다.', clearFilters: '필터 지우기',
  videoCount: '동영상 {count}개', sort: '정렬', newest: '최신순', oldest: '오래된 순', title: '제목순', longest: '긴 순', shortest: '짧은 순', updated: '최근 변경순',
  status: '상태', anyStatus: '모든 상태', ready: '준비됨', working: '처리 중', failed: '실패', ended: '끝남', anyLanguage: '모든 언어', titlePart: '제목에 있는 말',
  progressOf: '{title} 진행률', moreFor: '{title} 메뉴', lengthIs: '길이 {time}',
  rename: '이름 바꾸기', delete: '삭제', cancel: '취소', cancelWork: '처리 중지', reprocess: '다시 처리', reprocessIn: '다시 처리…', save: '저장',
  deleteSure: '“{title}” 동영상을 삭제할까요?', deleteWarning: '동영상과 대본, 검색 결과가 모두 완전히 지워지며 되돌릴 수 없습니다.', deleted: '“{title}” 동영상을 삭제했습니다.',
  renameTitle: '새 제목', reprocessTitle: '“{title}” 다시 처리', reprocessWhy: '끝날 때까지는 지금 대본으로 계속 검색됩니다.',
  spokenLanguage: '말하는 언어', detect: '자동으로 알아내기', model: '모델', modelKeep: '이전과 같게', modelFast: '빠르게', modelHigh: '가장 정확하게', begin: '시작', asked: '요청했습니다. 작업자가 비는 대로 시작합니다.',
  isReady: '“{title}” 준비가 끝났습니다.',

  UPLOADING: '업로드 중', PENDING: '대기 중', EXTRACTING: '소리 추출 중', TRANSCRIBING: '받아쓰는 중', EMBEDDING: '의미 분석 중', INDEXING: '색인 중',
  COMPLETED: '준비됨', FAILED: '실패', CANCELED: '취소됨', EXPIRED: '업로드되지 않음', DELETING: '삭제 중',
  stepExtract: '소리', stepTranscribe: '받아쓰기', stepEmbed: '의미', stepIndex: '색인', timeLeft: '{time} 남음', queuePosition: '대기 순서 {place}번째', waitsForQuota: '할당량을 기다리는 중',
  interrupted: '업로드가 중단됨', interruptedWhy: '같은 파일을 다시 고르면 이어서 올립니다: {name}',

  uploads: '업로드', uploadsDone: '파일 {count}개 업로드 완료', uploadsUnderWay: '파일 {count}개 업로드 중 · {percent} %', uploadsStopped: '확인이 필요한 업로드 {count}개', collapse: '접기', expand: '펼치기', clearDone: '목록 비우기',
  waiting: '차례를 기다리는 중', preparing: '파일을 확인하는 중…', sent: '{size} 중 {sent}', speed: '초당 {speed}', left: '{time} 남음', checking: '확인 중…', arrived: '업로드 완료', paused: '일시 정지됨', stopped: '중지됨', goesOn: '멈춘 곳부터 이어서 올리는 중',
  pause: '일시 정지', resume: '이어서 올리기', retry: '다시 시도', pauseOf: '{name} 일시 정지', resumeOf: '{name} 이어서 올리기', retryOf: '{name} 다시 시도', cancelOf: '{name} 취소', dismissOf: '{name} 목록에서 빼기', openOf: '{name} 열기',
  cancelUploadSure: '“{name}” 업로드를 중지할까요?', cancelUploadWarning: '지금까지 올린 내용은 지워집니다.', keepUploading: '계속 올리기', stopUploading: '중지',
  noLine: '연결이 끊겼습니다. 다시 연결되면 저절로 이어서 올립니다.', noServer: '서버에 연결할 수 없습니다. 저절로 이어서 올립니다.', noStorage: '저장소에 연결할 수 없습니다. 저절로 이어서 올립니다.',
  neverStorage: '이 페이지에서 저장소에 연결할 수 없어 다시 시도하고 있습니다. 서버 관리자는 “biblio doctor”로 원인을 알 수 있습니다.',
  fileGone: '파일이 옮겨졌거나 지워졌습니다. 다시 고르면 이어서 올립니다.', fileChanged: '파일을 읽을 수 없거나 그 사이에 내용이 바뀌었습니다. 다시 골라 주세요.', storageRefused: '저장소가 파일을 거절했습니다 ({status}). {why}',

  player: '재생기', soundOnly: '이 브라우저에서는 화면을 재생할 수 없어 소리를 들려드립니다.', cannotPlay: '이 브라우저에서는 이 파일을 재생할 수 없습니다.', notPlayable: '아직 재생할 것이 없습니다.',
  position: '재생 위치', ofLength: '{length} 중 {time}', playbackSpeed: '재생 속도', copyLink: '{time} 링크 복사', copied: '링크를 복사했습니다', copyFailed: '브라우저가 링크 복사를 허용하지 않았습니다.',
  download: '내려받기', downloadAs: '{format} 대본', transcript: '대본', noTranscript: '준비되면 여기에 대본이 나타납니다.', withoutTranscript: '대본이 없습니다.', noSpeech: '이 동영상에는 말소리가 없습니다.',
  searchInside: '이 동영상에서 검색', hitOf: '{count}개 중 {place}번째', hitCount: '{count}곳', noHits: '그런 말이 없습니다', byMeaning: '뜻이 비슷한 곳 {count}개 중 {place}번째', next: '다음', previous: '이전', backToNow: '지금 위치로', playFrom: '여기부터 재생', similar: '비슷한 장면 더 보기',
  keysHelp: 'space k: 재생 · j l: 10초 · ← →: 5초 · < >: 속도 · /: 검색', captions: '자막', facts: '동영상 정보', added: '{date} 추가',

  resultsFor: '“{q}” 검색 결과', found: '동영상 {videos}개에서 장면 {moments}개', foundMore: '지금까지 동영상 {videos}개에서 장면 {moments}개', relaxed: '글자 그대로 한 말은 없어, 그 말과 관련된 결과를 보여 드립니다.', moreResults: '결과 더 보기', searching: '검색 중…',
  noResults: '“{q}”에 대한 결과가 없습니다', noResultsWhy: '다른 말이나 온전한 질문으로 검색하거나, 필터를 줄여 보세요.', startSearch: '무엇이든 물어보세요', startSearchWhy: '낱말이나 질문으로, 또는 “따옴표” 안에 글자 그대로 찾습니다. 한국어로 물어도 영어로 한 답을 찾습니다.',
  filters: '필터', searchBy: '방법', byAll: '낱말과 뜻', byKeyword: '낱말만', bySemantic: '뜻만', lengthFilter: '길이', addedFilter: '추가한 때', anyLength: '모든 길이', under10: '10분 미만', to60: '10분~1시간', over60: '1시간 이상', anyTime: '모든 기간', lastWeek: '이번 주에 추가', lastMonth: '이번 달에 추가', lastYear: '올해 추가',
  openAt: '{time}에서 열기', moreMoments: '{count}개 더 보기', similarTo: '이 장면과 비슷한 곳', searchFailed: '검색하지 못했습니다', closePlayer: '재생기 닫기',
};
