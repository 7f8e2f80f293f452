// What the page says in English. The Korean of it stands in ko.ts, name by name.
export const en = {
  otherLanguage: '한국어',
  library: 'Library', search: 'Search', searchLabel: 'Search everything that was said', searchHint: 'Search what was said, in Korean or English',
  suggestions: 'Suggestions', clear: 'Clear', close: 'Close', dismiss: 'Dismiss', loading: 'Loading…', tryAgain: 'Try again', skip: 'Skip to the content',
  menu: 'Menu', theme: 'Theme', themeSystem: 'As the system', themeLight: 'Light', themeDark: 'Dark', language: 'Language', signOut: 'Sign out', signedInAs: 'Signed in as {name}',
  offline: 'The server cannot be reached. What you see may be old; the page goes on by itself.', online: 'Connected again.',
  broken: 'Something on this page broke.', reload: 'Load again',
  notFound: 'There is nothing at this address', notFoundWhy: 'The video may have been deleted, or the link may be incomplete.', toLibrary: 'To the library',

  welcome: 'Welcome to biblio', signInWhy: 'Lectures and talks, searchable by what was said in them.',
  key: 'API key', keyHint: 'Paste it here', signIn: 'Sign in', signingIn: 'Signing in…',
  keyWhere: '“biblio link” prints a link that signs you in, “biblio up” does so at its start. A key comes from whoever runs this server.',
  linkUsed: 'This sign-in link was used already, or it is too old. Get another with “biblio link”, or paste a key.',

  addVideos: 'Add videos', dropHere: 'Drop to add to the library', dropFormats: 'mp4, mov, avi, mkv, webm, mp3, wav, m4a, flac',
  emptyLibrary: 'Nothing here yet', emptyLibraryWhy: 'Add a lecture or a talk: it is written down, and every sentence can be searched. Drop files anywhere on this page.',
  noneMatch: 'No video is like that', noneMatchWhy: 'Other filters may show more.', clearFilters: 'Clear the filters',
  videoCount: '{count, video}', sort: 'Order', newest: 'Newest first', oldest: 'Oldest first', title: 'Title', longest: 'Longest first', shortest: 'Shortest first', updated: 'Last changed',
  status: 'Status', anyStatus: 'Any status', ready: 'Ready', working: 'In progress', failed: 'Failed', ended: 'Ended', anyLanguage: 'Any language', titlePart: 'Part of the title',
  progressOf: 'Progress of {title}', moreFor: 'More for {title}', lengthIs: 'Length {time}',
  rename: 'Rename', delete: 'Delete', cancel: 'Cancel', cancelWork: 'Stop the work', reprocess: 'Process again', reprocessIn: 'Process again…', save: 'Save',
  deleteSure: 'Delete “{title}”?', deleteWarning: 'The video, its transcript and everything found in it are removed for good. This cannot be undone.', deleted: '“{title}” was deleted.',
  renameTitle: 'New title', reprocessTitle: 'Process “{title}” again', reprocessWhy: 'Until that is done, searches find the video as it was.',
  spokenLanguage: 'Spoken language', detect: 'Find out by itself', model: 'Model', modelKeep: 'As before', modelFast: 'Fast', modelHigh: 'Best quality', begin: 'Begin', asked: 'Asked for. It begins as soon as a worker is free.',
  isReady: '“{title}” is ready.',

  UPLOADING: 'Uploading', PENDING: 'Waiting', EXTRACTING: 'Taking out the sound', TRANSCRIBING: 'Writing down what is said', EMBEDDING: 'Understanding', INDEXING: 'Filing',
  COMPLETED: 'Ready', FAILED: 'Failed', CANCELED: 'Canceled', EXPIRED: 'Never arrived', DELETING: 'Being deleted',
  stepExtract: 'Sound', stepTranscribe: 'Words', stepEmbed: 'Meaning', stepIndex: 'Filing', timeLeft: '{time} left', queuePosition: 'Number {place} in the queue', waitsForQuota: 'Waiting for quota',
  interrupted: 'Upload interrupted', interruptedWhy: 'Choose the same file again, and it goes on where it stopped: {name}',

  uploads: 'Uploads', uploadsDone: '{count, file} uploaded', uploadsUnderWay: 'Uploading {count, file} · {percent} %', uploadsStopped: '{count, upload} waiting for you', collapse: 'Collapse', expand: 'Expand', clearDone: 'Clear the list',
  waiting: 'Waiting for its turn', preparing: 'Looking at the file…', sent: '{sent} of {size}', speed: '{speed}/s', left: '{time} left', checking: 'Checking…', arrived: 'Uploaded', paused: 'Paused', stopped: 'Stopped', goesOn: 'Going on where it stopped',
  pause: 'Pause', resume: 'Go on', retry: 'Try again', pauseOf: 'Pause {name}', resumeOf: 'Go on with {name}', retryOf: 'Try {name} again', cancelOf: 'Cancel {name}', dismissOf: 'Take {name} off the list', openOf: 'Open {name}',
  cancelUploadSure: 'Stop uploading “{name}”?', cancelUploadWarning: 'What has arrived of it is thrown away.', keepUploading: 'Keep uploading', stopUploading: 'Stop',
  noLine: 'No connection. It goes on by itself as soon as there is one.', noServer: 'The server cannot be reached. It goes on by itself.', noStorage: 'Storage cannot be reached. It goes on by itself.',
  neverStorage: 'This page cannot reach storage; trying again. “biblio doctor” tells whoever runs the server why.',
  fileGone: 'This file was moved or removed. Choose it again to go on.', fileChanged: 'This file can no longer be read, or it changed meanwhile. Choose it again.', storageRefused: 'Storage refused the file ({status}). {why}',

  player: 'Player', soundOnly: 'This browser cannot play the picture of this file, so you hear the sound.', cannotPlay: 'This browser cannot play this file.', notPlayable: 'There is nothing to play yet.',
  position: 'Position', ofLength: '{time} of {length}', playbackSpeed: 'Speed', copyLink: 'Copy link to {time}', copied: 'Link copied', copyFailed: 'The browser did not let the link be copied.',
  download: 'Download', downloadAs: 'Transcript as {format}', transcript: 'Transcript', noTranscript: 'The transcript appears here when it is ready.', withoutTranscript: 'There is no transcript.', noSpeech: 'Nothing is said in this video.',
  searchInside: 'Search in this video', hitOf: '{place} of {count}', hitCount: '{count, place}', noHits: 'Not said', byMeaning: 'Similar in meaning: {place} of {count}', next: 'Next', previous: 'Previous', backToNow: 'Back to now', playFrom: 'Play from here', similar: 'More like this moment',
  keysHelp: 'space k: play · j l: 10 s · ← →: 5 s · < >: speed · /: search', captions: 'Captions', facts: 'About this video', added: 'Added {date}',

  resultsFor: 'Results for “{q}”', found: '{moments, moment} in {videos, video}', foundMore: '{moments, moment} in {videos, video} so far', relaxed: 'Nobody says that to the letter; these are answers to the words.', moreResults: 'More results', searching: 'Searching…',
  noResults: 'Nothing found for “{q}”', noResultsWhy: 'Try other words, a whole question, or fewer filters.', startSearch: 'Ask anything', startSearchWhy: 'A word, a question, or “words in quotes” to the letter. Korean questions find English answers, too.',
  filters: 'Filters', searchBy: 'By', byAll: 'Words and meaning', byKeyword: 'Words only', bySemantic: 'Meaning only', lengthFilter: 'Length', addedFilter: 'When it was added', anyLength: 'Any length', under10: 'Under 10 minutes', to60: '10 to 60 minutes', over60: 'Over an hour', anyTime: 'Any time', lastWeek: 'Added this week', lastMonth: 'Added this month', lastYear: 'Added this year',
  openAt: 'Open at {time}', moreMoments: '{count} more', similarTo: 'Like this moment', searchFailed: 'The search did not work', closePlayer: 'Close the player',
};

export type Texts = Record<keyof typeof en, string>;
